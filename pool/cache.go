package pool

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"
)

// cache keeps compiled modules on disk. The code of an entry is written by a
// child that compiles one module, to a file that it is handed, and ends; it is
// adopted here, and handed to workers, each of which is told the digest of what
// it must find. No child can open anything here.
type cache struct {
	pool     *Pool
	compiler compiler        // nil: nothing is compiled ahead
	entries  func() *entries // of the engine, for which it asks; returns nil where that is not known
	warned   sync.Once
}

// compiler is a launcher that can compile a module ahead.
type compiler interface {
	// Engine names what compiles, and all else that its code depends on. Empty
	// means that this is not known, and that no code may be kept. It may take some
	// milliseconds when it is asked for the first time.
	Engine() string
	// Compile has a module compiled, and its code written to a file. An
	// *[unkeptError] says that there is none, by no fault of the module.
	Compile(ctx context.Context, a *Assignment, out *os.File) error
}

// unkeptError says why a child could not leave the code that it compiled.
type unkeptError struct{ reason string }

func (e *unkeptError) Error() string { return "pool: compiled code was not kept: " + e.reason }

// newCache refuses a directory that others could put code into: with an error if
// the user has named it, else by doing without.
func newCache(p *Pool, named bool) (*cache, error) {
	c := &cache{pool: p}
	if p.options.DisableCache {
		return c, nil
	}
	compiler, ok := p.launcher.(compiler)
	if !ok {
		return c, nil
	}
	if p.options.CacheDir == "" {
		c.warn(errors.New("this user has no cache directory: set Options.CacheDir"))
		return c, nil
	}
	dir, err := filepath.Abs(p.options.CacheDir)
	if err != nil {
		return nil, err
	}
	if err := trusted(dir); err != nil {
		if named {
			return nil, fmt.Errorf("pool: option CacheDir is %q: %w", p.options.CacheDir, err)
		}
		c.warn(err)
		return c, nil
	}
	c.compiler = compiler
	c.entries = sync.OnceValue(func() *entries {
		engine := compiler.Engine()
		if engine == "" {
			c.warn(errors.New("the version of the engine is not known"))
			return nil
		}
		return newEntries(filepath.Join(dir, fileName(engine)), engine)
	})
	return c, nil
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
	done     chan struct{} // closed when the rest is set
	compiled compiled
	err      error
}

// CompileInfo says which module is compiled.
type CompileInfo struct {
	Module string
	SHA256 string
	Bytes  int
	Took   time.Duration // zero at the beginning
	Err    error         // why it failed
}

// compiled is where a worker finds the code of its module; the zero value means
// nowhere.
type compiled struct {
	file   string
	sha256 string // of the code, in hexadecimal
}

// prepare returns where the compiled code of a module is, after compiling it if
// need be. What goes wrong goes wrong for all who wait.
func (c *cache) prepare(ctx context.Context, r *run, e *cacheEntry, a *Assignment) (compiled, error) {
	if c.compiler == nil || c.entries() == nil {
		return compiled{}, nil
	}
	f := c.join(r, e, a)
	select {
	case <-f.done:
		return f.compiled, f.err
	case <-ctx.Done():
		return compiled{}, context.Cause(ctx)
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
		f.compiled, f.err = c.fill(r.ctx, a)
		e.mu.Lock()
		e.flight = nil
		e.mu.Unlock()
		close(f.done)
	})
	return f
}

// fill returns where a module's entry is, after making it if need be.
func (c *cache) fill(ctx context.Context, a *Assignment) (compiled, error) {
	e := c.entries()
	if err := e.open(); err != nil {
		return c.without(err)
	}
	code, err := e.find(a.SHA256)
	if err == nil {
		return compiled{e.code(a.SHA256), code}, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		c.pool.options.Logger.Warn("wasmpool: a cache entry is of no use: the module is compiled anew",
			slog.String("module", a.Module), slog.Any("error", err))
		if err := e.remove(a.SHA256); err != nil {
			return c.without(err)
		}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, a.Limits.CompileTime, errNotInTime)
	defer cancel()
	out, err := e.blank()
	if err != nil {
		return c.without(err)
	}
	defer out.Close()
	err = c.compile(ctx, a, out)
	var unkept *unkeptError
	if errors.As(err, &unkept) {
		return c.without(err)
	}
	if err != nil {
		return compiled{}, err
	}
	adopted := e.adopt(a.SHA256, out, maxCodeBytes(len(a.Source)))
	if code, err = e.find(a.SHA256); err != nil { // not even another was faster
		return c.without(errors.Join(adopted, err))
	}
	return compiled{e.code(a.SHA256), code}, nil
}

// without lets a worker compile for itself.
func (c *cache) without(err error) (compiled, error) {
	c.warn(err)
	return compiled{}, nil
}

// maxCodeBytes bounds the code of a module of so many bytes. A guess: four times
// as many were seen for 3 MB, and ten for a few KB.
func maxCodeBytes(source int) int64 { return 1<<20 + 64*int64(source) }

// compile compiles a module, and says so: it can take seconds.
func (c *cache) compile(ctx context.Context, a *Assignment, out *os.File) error {
	info := CompileInfo{Module: a.Module, SHA256: a.SHA256, Bytes: len(a.Source)}
	begun := time.Now()
	c.tell(info)
	info.Err = because(ctx, c.compiler.Compile(ctx, a, out))
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
		c.pool.options.Logger.Warn("wasmpool: no compile cache: each process compiles for itself", slog.String("dir", c.pool.options.CacheDir), slog.Any("error", err))
	})
}
