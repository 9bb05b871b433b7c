package wazero

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/wasmpool/wasmpool/isolate/engine"
)

// Load implements [engine.Engine]. It can be called once.
func (e *wazeroEngine) Load(ctx context.Context, source []byte, config engine.Config) (_ engine.Module, err error) {
	if e.loaded {
		return nil, errors.New("wazero: this engine has its module already")
	}
	e.loaded = true
	e.begin()
	defer func() {
		if r := recover(); r != nil {
			err = panicked(r)
		}
	}()
	if config.Code != nil && config.SHA256 == [sha256.Size]byte{} {
		config.SHA256 = sha256.Sum256(source)
	}
	cache := openCache(config)
	o, err := scan(source, config)
	found := cache.take()
	if found != nil {
		defer found.drop()
	}
	if err != nil {
		return nil, err
	}
	compiled, cached, unkept, err := e.compile(ctx, o, config, cache, found)
	if err != nil {
		return nil, err
	}
	if !config.DescribeOnly {
		if err := e.provide(ctx, compiled, o); err != nil {
			return nil, err
		}
	}
	m := &module{
		runtime: e.runtime, compiled: compiled,
		hasMemory: len(o.memories) > 0, memoryBytes: uint64(max(config.MemoryBytes, 0)),
	}
	if m.grants, err = openGrants(config); err != nil {
		return nil, err
	}
	m.description = describe(compiled, o)
	m.description.Cached, m.description.Unkept = cached, unkept
	return m, nil
}

// compile compiles a module, or loads its code. What goes wrong with the cache
// costs the time to compile, and nothing else.
func (e *wazeroEngine) compile(ctx context.Context, o *outline, config engine.Config, cache *cache, found *code) (_ wazero.CompiledModule, cached bool, unkept string, _ error) {
	<-e.ready
	if e.fault != nil {
		return nil, false, "", e.fault
	}
	if e.code != nil && found != nil && found.mark == o.mark(config.SHA256) {
		e.code.content = found.content
		compiled, err := e.compileSource(ctx, hollow(o.source))
		loaded := e.code.loaded
		e.code.drop()
		if err == nil && loaded {
			return compiled, true, "", nil
		}
		// It does not even matter whether what is wrong is wrong with the code.
		if err := e.Close(); err != nil {
			return nil, false, "", fmt.Errorf("wazero: close after a fault in the cache: %w", err)
		}
		if err := e.prepare(); err != nil {
			return nil, false, "", err
		}
	}
	keeps := e.code != nil && cache.wants()
	if keeps {
		e.code.mark, e.code.wanted = o.mark(config.SHA256), true
		defer e.code.drop()
	}
	compiled, err := e.compileSource(ctx, o.source)
	if err != nil {
		return nil, false, "", err
	}
	if keeps {
		unkept = cache.keep(e.code)
	}
	return compiled, false, unkept, nil
}

// panicked tells why wazero panicked: where it has no compiler, and where it
// may not make executable memory, it does so with an error or a text of its
// own. What the Go runtime finds is a mistake that the module has led it into.
func panicked(r any) error {
	if mistake, ok := r.(runtime.Error); ok {
		return invalid("the compiler gave up: %v", mistake)
	}
	return fmt.Errorf("wazero: cannot compile on %s/%s: %v", runtime.GOOS, runtime.GOARCH, r)
}

func (e *wazeroEngine) compileSource(ctx context.Context, source []byte) (wazero.CompiledModule, error) {
	compiled, err := e.runtime.CompileModule(experimental.WithCompilationWorkers(ctx, workers(source)), source)
	switch {
	case err == nil:
		return compiled, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	}
	return nil, invalid("%s", err)
}

// workers is how many goroutines compile a module: two take 0.6 of the time of
// one for 3 MB. Small modules have one, since a mistake of the compiler in
// another than the caller's ends the process.
func workers(source []byte) int {
	if len(source) < parallelBytes {
		return 1
	}
	return runtime.GOMAXPROCS(0)
}

// parallelBytes is a guess: what is smaller compiles in about 0.1 s.
const parallelBytes = 256 << 10

// provide refuses imports that nothing provides, and instantiates what provides
// the others.
func (e *wazeroEngine) provide(ctx context.Context, compiled wazero.CompiledModule, o *outline) error {
	provided := make(map[string]map[string]api.FunctionDefinition)
	for _, host := range e.hosts {
		provided[host.Name()] = host.ExportedFunctions()
		if !slices.ContainsFunc(compiled.ImportedFunctions(), func(f api.FunctionDefinition) bool {
			module, _, _ := f.Import()
			return module == host.Name()
		}) {
			continue
		}
		if _, err := e.runtime.InstantiateModule(ctx, host, wazero.NewModuleConfig()); err != nil {
			return fmt.Errorf("wazero: instantiate host module %q: %w", host.Name(), err)
		}
	}
	return checkImports(compiled.ImportedFunctions(), o.others, provided)
}

func describe(compiled wazero.CompiledModule, o *outline) engine.Description {
	var d engine.Description
	for _, f := range compiled.ImportedFunctions() {
		module, name, _ := f.Import()
		d.Imports = append(d.Imports, function(module, name, f))
	}
	for name, f := range compiled.ExportedFunctions() {
		d.Exports = append(d.Exports, function("", name, f))
	}
	slices.SortFunc(d.Exports, func(a, b engine.Func) int { return strings.Compare(a.Name, b.Name) })
	if o.memory != nil {
		d.Memory = &engine.Memory{MinBytes: int64(o.memory.min) * pageBytes, MaxBytes: maxPages * pageBytes}
		if o.memory.bounded {
			d.Memory.MaxBytes = int64(o.memory.max) * pageBytes
		}
	}
	return d
}

func function(module, name string, f api.FunctionDefinition) engine.Func {
	return engine.Func{Module: module, Name: name, Params: typeNames(f.ParamTypes()), Results: typeNames(f.ResultTypes())}
}

func typeNames(types []api.ValueType) []string {
	names := make([]string, len(types))
	for i, t := range types {
		switch t {
		case 0x7b:
			names[i] = "v128"
		case 0x70:
			names[i] = "funcref"
		default:
			names[i] = api.ValueTypeName(t)
		}
	}
	return names
}

// module is the loaded module. It is only read after Load.
type module struct {
	runtime     wazero.Runtime
	compiled    wazero.CompiledModule
	description engine.Description
	hasMemory   bool
	memoryBytes uint64 // of each instance, at most; 0: no bound
	grants      *grants
}

func (m *module) Describe() engine.Description { return m.description }

func (m *module) Close() error {
	return errors.Join(m.compiled.Close(context.Background()), m.grants.close())
}

// exports returns the type of an exported function.
func (m *module) exports(name string) (engine.Func, bool) {
	i, ok := slices.BinarySearchFunc(m.description.Exports, name, func(f engine.Func, name string) int {
		return strings.Compare(f.Name, name)
	})
	if !ok {
		return engine.Func{}, false
	}
	return m.description.Exports[i], true
}
