package wazero

import (
	"context"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/wasmpool/wasmpool/isolate/engine"
)

// NewPrepared returns an engine that makes ready meanwhile what it needs for any
// module, so that Load takes less time: for a process that waits for its module.
func NewPrepared() engine.Engine {
	e := newEngine()
	e.begin()
	return e
}

// begin has the engine prepared, unless that is done.
func (e *wazeroEngine) begin() {
	e.once.Do(func() {
		go func() { // ends with what it does; Load waits for it
			defer close(e.ready)
			e.fault = e.prepare()
		}()
	})
}

// prepare makes a runtime, and what provides the imports. Nothing in it depends
// on the module; what bounds its memory is [memories].
func (e *wazeroEngine) prepare() (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = panicked(r)
		}
	}()
	rc := wazero.NewRuntimeConfigCompiler().
		WithCoreFeatures(api.CoreFeaturesV2).
		WithDebugInfoEnabled(false) // DWARF is one more thing to decode, and ours to refuse
	if replaceable() {
		e.code = new(code)
		e.cache = compilationCache(e.code)
		rc = rc.WithCompilationCache(e.cache)
	}
	ctx := context.Background()
	e.runtime = wazero.NewRuntimeWithConfig(ctx, rc)
	e.hosts = nil
	for _, build := range []func(context.Context, wazero.Runtime) (wazero.CompiledModule, error){compileHost, compileEnv, compileWASI} {
		host, err := build(ctx, e.runtime)
		if err != nil {
			return fmt.Errorf("wazero: compile a host module: %w", err)
		}
		e.hosts = append(e.hosts, host)
	}
	return nil
}

func compileWASI(ctx context.Context, r wazero.Runtime) (wazero.CompiledModule, error) {
	return wasi_snapshot_preview1.NewBuilder(r).Compile(ctx)
}
