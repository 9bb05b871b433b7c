package pool

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/wasmpool/wasmpool/abi"
	"github.com/wasmpool/wasmpool/internal/sched"
)

// Module sets one module apart from the others of its pool. A zero field
// inherits what the pool's [Options] say.
type Module struct {
	// Source is the path of the module; relative paths are resolved as those of
	// calls are. Bytes, when not nil, are the module itself, and go before it.
	Source string
	Bytes  []byte

	// SHA256 is the digest that the module must have, in hexadecimal. Empty means
	// any.
	SHA256 string

	// Shape is the way the module serves calls. Zero means: told from its exports.
	Shape abi.Shape

	// Args and Env replace those of the pool, unless they are nil. They stay as
	// they are when the pool's are set anew.
	Args []string
	Env  map[string]string

	// Dirs are the directories that the guest is granted; at most 64. Its workers
	// are started for it: it does not adopt blank ones.
	Dirs []Dir

	// Functions are the only functions that may be called. Nil means all that
	// the module has.
	Functions []string

	// Concurrency is how many calls a worker of the module runs at once.
	Concurrency int

	// Limits bound what the module may use, field by field.
	Limits Limits

	// Host are the functions that the module may call, instead of the pool's,
	// unless it is nil.
	Host map[string]HostFunc
}

func (m Module) validate(v *validator, field string) {
	if m.Source == "" && m.Bytes == nil {
		v.add(field+".Source", m.Source, "the path of a module, or its Bytes")
	}
	if m.SHA256 != "" {
		if b, err := hex.DecodeString(m.SHA256); err != nil || len(b) != sha256.Size {
			v.add(field+".SHA256", m.SHA256, "64 hexadecimal digits")
		}
	}
	switch m.Shape {
	case "", abi.Reactor, abi.Server, abi.Command:
	default:
		v.add(field+".Shape", string(m.Shape), `"reactor", "server" or "command"`)
	}
	v.within(field+".Concurrency", m.Concurrency, 0, maxConcurrency)
	for i, name := range m.Functions {
		if !abi.Callable(name) {
			v.add(fmt.Sprintf("%s.Functions[%d]", field, i), name, "a name that may be called")
		}
	}
	m.Limits.validate(v, field+".Limits")
	v.env(field+".Env", m.Env)
	v.args(field+".Args", m.Args)
	v.dirs(field+".Dirs", m.Dirs)
	v.host(field+".Host", m.Host)
}

// module is a module that calls have named, over generations.
type module struct {
	sched.Module

	name     string // as calls name it
	settings Module // with all that it inherits, but for Args, Env and Source
	host     map[string]HostFunc
}

// lookup returns the module that a name stands for. It is made known when it is
// named for the first time; a path that leads nowhere is not kept.
func (p *Pool) lookup(name string) (*module, error) {
	p.mu.Lock()
	key := name
	m := p.modules[key]
	if m == nil && name != "" {
		key = filepath.Clean(name) // another way to write the same path
		m = p.modules[key]
	}
	dir := p.settings.dir
	if p.status != stopped {
		dir = p.gen.settings.dir
	}
	p.mu.Unlock()
	if m != nil {
		return m, nil
	}
	settings, known := p.options.Modules[name]
	if !known {
		if name == "" {
			return nil, &ModuleError{Module: name, Fault: abi.NotFoundModule, Message: "the name is empty; want the path of a module, or one of Options.Modules"}
		}
		settings.Source = name
	} else {
		key = name
	}
	if settings.Bytes == nil {
		if _, err := os.Stat(resolve(dir, settings.Source)); err != nil {
			return nil, p.notFound(name, resolve(dir, settings.Source), err)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if m = p.modules[key]; m == nil {
		m = p.newModule(key, settings)
		p.modules[key] = m
	}
	return m, nil
}

func (p *Pool) newModule(name string, settings Module) *module {
	o := &p.options
	settings.Concurrency = or(settings.Concurrency, o.Concurrency)
	settings.Limits = settings.Limits.inherit(o.Limits)
	m := &module{name: name, settings: settings, host: settings.Host}
	if m.host == nil {
		m.host = o.Host
	}
	m.Name, m.Concurrency, m.Owner = name, settings.Concurrency, m
	m.Apart = len(settings.Dirs) > 0
	p.sched.AddModule(&m.Module)
	return m
}

func (p *Pool) notFound(name, path string, err error) error {
	message := err.Error()
	if errors.Is(err, fs.ErrNotExist) {
		message = fmt.Sprintf("there is no file %s", path)
		if known := slices.Sorted(maps.Keys(p.options.Modules)); len(known) > 0 {
			message += ", nor is it one of Options.Modules: " + strings.Join(known, ", ")
		}
	}
	return &ModuleError{Module: name, Fault: abi.NotFoundModule, Message: message, Err: err}
}

func resolve(dir, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(dir, path)
}

// settings are those that take effect with the next generation.
type settings struct {
	dir  string
	args []string
	env  map[string]string
}

// generation is what workers that were started together share: the settings and
// the modules as they were then, so that a worker which replaces a lost one is
// like it.
type generation struct {
	run      *run
	settings settings

	mu      sync.Mutex
	sources map[*module]*source
}

func (s settings) newGeneration(r *run) *generation {
	return &generation{run: r, settings: s, sources: make(map[*module]*source)}
}

// source is a module as a generation has read it.
type source struct {
	bytes  []byte
	sha256 string
	cache  cacheEntry
}

// Assignment is what a worker is told to serve.
type Assignment struct {
	Module      string // as calls name it
	Source      []byte // the module; only to be read
	SHA256      string // of Source, in hexadecimal
	Shape       abi.Shape
	Functions   []string
	Args        []string          // without the module's name
	Env         map[string]string // only to be read
	Dirs        []Dir             // with absolute paths; only to be read
	Concurrency int
	Fresh       bool
	Limits      Limits
	Code        string // the file with the compiled code of this module, only to be read; empty: there is none
	CodeSHA256  string // of that code, in hexadecimal
}

// assignment reads and compiles a module for a generation, unless that is done.
func (p *Pool) assignment(ctx context.Context, g *generation, m *module) (*Assignment, error) {
	src, err := p.source(ctx, g, m)
	if err != nil {
		return nil, err
	}
	a := &Assignment{
		Module: m.name, Source: src.bytes, SHA256: src.sha256,
		Shape: m.settings.Shape, Functions: m.settings.Functions,
		Args: g.settings.args, Env: g.settings.env,
		Concurrency: m.settings.Concurrency, Fresh: p.options.Fresh, Limits: m.settings.Limits,
	}
	if m.settings.Args != nil {
		a.Args = m.settings.Args
	}
	if m.settings.Env != nil {
		a.Env = m.settings.Env
	}
	if a.Dirs, err = m.grants(g); err != nil {
		return nil, err
	}
	code, err := p.cache.prepare(ctx, g.run, &src.cache, a)
	a.Code, a.CodeSHA256 = code.file, code.sha256
	return a, err
}

// source reads a module, once for a generation; a failure is not kept.
func (p *Pool) source(ctx context.Context, g *generation, m *module) (*source, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if src := g.sources[m]; src != nil {
		return src, nil
	}
	b := m.settings.Bytes
	if b == nil {
		var err error
		if b, err = readModule(ctx, resolve(g.settings.dir, m.settings.Source), m.settings.Limits.ModuleBytes); err != nil {
			return nil, p.unreadable(m, resolve(g.settings.dir, m.settings.Source), err)
		}
	}
	if int64(len(b)) > m.settings.Limits.ModuleBytes {
		return nil, p.unreadable(m, m.name, &tooLargeError{m.settings.Limits.ModuleBytes})
	}
	sum := sha256.Sum256(b)
	src := &source{bytes: b, sha256: hex.EncodeToString(sum[:])}
	if want := strings.ToLower(m.settings.SHA256); want != "" && want != src.sha256 {
		return nil, &ModuleError{Module: m.name, Fault: abi.WrongDigest, Message: fmt.Sprintf("its SHA-256 is %s; want %s", src.sha256, want)}
	}
	g.sources[m] = src
	return src, nil
}

type tooLargeError struct{ limit int64 }

func (e *tooLargeError) Error() string {
	return fmt.Sprintf("it is larger than the limit of %d bytes (Limits.ModuleBytes)", e.limit)
}

func (p *Pool) unreadable(m *module, path string, err error) error {
	var large *tooLargeError
	if errors.As(err, &large) {
		return &ModuleError{Module: m.name, Fault: abi.TooLarge, Message: large.Error()}
	}
	return p.notFound(m.name, path, err)
}

// readModule reads a regular file of at most limit bytes, and never more: a
// path may lead to a device.
func readModule(ctx context.Context, path string, limit int64) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = &tooLargeError{limit}
	}
	return b, err
}
