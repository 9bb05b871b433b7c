package pool

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"
)

// cache keeps compiled modules on disk, a directory for each digest. It never
// reads them: an entry is filled by a child that compiles one module into a
// fresh directory and ends, adopted here by renaming, and only read by workers.
type cache struct {
	pool     *Pool
	compiler compiler // nil: nothing is compiled ahead
	dir      string   // empty: likewise
	warned   sync.Once
}

// compiler is a launcher that can compile a module ahead.
type compiler interface {
	// Version tells compiled code of one kind from that of another; it is the
	// name of a directory.
	Version() string
	// Compile has the compiled code of a module put into a directory.
	Compile(ctx context.Context, a *Assignment, dir string) error
}

func newCache(p *Pool) *cache {
	c := &cache{pool: p}
	if p.options.DisableCache {
		return c
	}
	compiler, ok := p.launcher.(compiler)
	if !ok {
		return c
	}
	if p.options.CacheDir == "" {
		c.warn(errors.New("this user has no cache directory: set Options.CacheDir"))
		return c
	}
	c.compiler = compiler
	c.dir = filepath.Join(p.options.CacheDir, fileName(compiler.Version()))
	return c
}

// fileName makes one of a version, which may hold anything.
func fileName(version string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("._-+", r) || r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return r
		}
		return '-'
	}, version)
}

// cacheEntry lets all who need a module compiled wait for one compilation.
type cacheEntry struct {
	mu     sync.Mutex
	flight *flight // nil: none is under way
}

// flight is a compilation that is under way.
type flight struct {
	done chan struct{} // closed when the rest is set
	dir  string
	err  error
}

// CompileInfo says which module is compiled.
type CompileInfo struct {
	Module string
	SHA256 string
	Bytes  int
	Took   time.Duration // zero at the beginning
	Err    error         // why it failed
}

// prepare returns the directory with the compiled code of a module, after
// compiling it if need be; empty where there is no cache to be used. What goes
// wrong goes wrong for all who wait.
func (c *cache) prepare(ctx context.Context, r *run, e *cacheEntry, a *Assignment) (string, error) {
	if c.compiler == nil {
		return "", nil
	}
	f := c.join(r, e, a)
	select {
	case <-f.done:
		return f.dir, f.err
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// join returns the compilation that is under way, or begins one. It belongs to
// the run: that the worker which asked first is not wanted any more does not end
// it.
func (c *cache) join(r *run, e *cacheEntry, a *Assignment) *flight {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.flight != nil {
		return e.flight
	}
	f := &flight{done: make(chan struct{})}
	e.flight = f
	r.background.Go(func() {
		f.dir, f.err = c.fill(r.ctx, a)
		e.mu.Lock()
		e.flight = nil
		e.mu.Unlock()
		close(f.done)
	})
	return f
}

// fill returns the directory of a module's entry, after making it if need be.
func (c *cache) fill(ctx context.Context, a *Assignment) (string, error) {
	dir := filepath.Join(c.dir, a.SHA256)
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, a.Limits.CompileTime, errNotInTime)
	defer cancel()
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		c.warn(err)
		return "", nil
	}
	fresh, err := os.MkdirTemp(c.dir, "compiling-")
	if err != nil {
		c.warn(err)
		return "", nil
	}
	defer os.RemoveAll(fresh)
	if err := c.compile(ctx, a, fresh); err != nil {
		return "", err
	}
	if err := os.Rename(fresh, dir); err != nil {
		if _, missing := os.Stat(dir); missing != nil { // not even another was faster
			c.warn(err)
			return "", nil
		}
	}
	return dir, nil
}

// compile compiles a module, and says so: it can take seconds.
func (c *cache) compile(ctx context.Context, a *Assignment, dir string) error {
	info := CompileInfo{Module: a.Module, SHA256: a.SHA256, Bytes: len(a.Source)}
	begun := time.Now()
	c.tell(info)
	info.Err = because(ctx, c.compiler.Compile(ctx, a, dir))
	info.Took = time.Since(begun)
	c.tell(info)
	if errors.Is(info.Err, errNotInTime) {
		return fmt.Errorf("it did not compile within Limits.CompileTime (%v)", a.Limits.CompileTime)
	}
	return info.Err
}

func (c *cache) tell(info CompileInfo) {
	p := c.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.run == nil {
		return
	}
	p.run.events.add(func() {
		if tell := p.options.Events.Compile; tell != nil {
			tell(info)
			return
		}
		if info.Took == 0 {
			p.options.Logger.Info("wasmpool: compiling", slog.String("module", info.Module), slog.Int("bytes", info.Bytes))
		}
	}, mayDrop)
}

// warn says, once, that every process compiles for itself.
func (c *cache) warn(err error) {
	c.warned.Do(func() {
		c.pool.options.Logger.Warn("wasmpool: no compile cache: each process compiles for itself", slog.String("dir", c.dir), slog.Any("error", err))
	})
}
