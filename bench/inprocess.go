package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/wasmpool/wasmpool/abi"
	"github.com/wasmpool/wasmpool/isolate"
	engine "github.com/wasmpool/wasmpool/isolate/wazero"
	"github.com/wasmpool/wasmpool/testdata/wasm"
)

// inProcessRows are the same guest without a process around it: what a worker
// runs, and the engine alone.
func inProcessRows(w workload) []row {
	return []row{
		{workload: w, what: "isolate, in process", ours: true, start: startIsolate},
		{workload: w, what: "wazero, in process", start: func(ctx context.Context, w workload) (*target, error) {
			return startWazero(ctx, wazero.NewRuntimeConfigCompiler(), cGuest.echo(w), plain)
		}},
	}
}

func startIsolate(ctx context.Context, w workload) (*target, error) {
	x := isolate.New(engine.New(), nil)
	if _, err := x.Load(ctx, isolate.Settings{Name: "echo"}, wasm.Module("echo")); err != nil {
		return nil, errors.Join(err, x.Close())
	}
	call := isolate.Call{Attempt: 1, DeadlineMS: -1, Function: "echo", Arguments: w.arguments()}
	return &target{close: x.Close, measure: repeat(w.callers, func(context.Context) error {
		call.ID++
		code, got := x.Call(0, &call)
		if code != abi.Returned {
			return fmt.Errorf("the call %v: %s", code, got)
		}
		return expect(len(got), w.payload)
	})}, nil
}

// plain calls without an end to it.
func plain(ctx context.Context) (context.Context, context.CancelFunc) { return ctx, func() {} }

// startWazero runs a guest with no more of the ABI than it needs. Each call has
// a context that limit makes.
func startWazero(ctx context.Context, config wazero.RuntimeConfig, j job, limit func(context.Context) (context.Context, context.CancelFunc)) (*target, error) {
	wasm, err := j.guest.wasm(ctx)
	if err != nil {
		return nil, err
	}
	r := wazero.NewRuntimeWithConfig(ctx, config)
	end := func() error { return r.Close(context.Background()) }
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, r); err != nil {
		return nil, errors.Join(fmt.Errorf("providing WASI: %w", err), end())
	}
	host := &host{function: []byte(j.function), input: j.args}
	if err := host.provide(ctx, r); err != nil {
		return nil, errors.Join(err, end())
	}
	compiled, err := r.CompileModule(ctx, wasm)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("compiling the guest: %w", err), end())
	}
	guest, err := r.InstantiateModule(ctx, compiled, wazero.NewModuleConfig().WithStartFunctions(abi.ExportInitialize).WithSysNanotime().WithSysWalltime())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("instantiating the guest: %w", err), end())
	}
	f, stack := guest.ExportedFunction(j.function), make([]uint64, 1)
	if f == nil {
		f = guest.ExportedFunction(abi.ExportCall) // it looks itself which function is meant
	}
	return &target{close: end, measure: repeat(1, func(ctx context.Context) error {
		ctx, cancel := limit(ctx)
		defer cancel()
		if err := f.CallWithStack(ctx, stack); err != nil {
			return err
		}
		if stack[0] != 0 {
			return fmt.Errorf("the guest failed: %s", host.failure)
		}
		return expect(len(host.output), j.want)
	})}, nil
}

// host is the least that lets a guest take its arguments and give its result.
type host struct{ function, input, output, failure []byte }

func (h *host) provide(ctx context.Context, r wazero.Runtime) error {
	b := r.NewHostModuleBuilder("wasmpool")
	export := func(name string, params, results int, f api.GoModuleFunc) {
		b.NewFunctionBuilder().WithGoModuleFunction(f, i32s(params), i32s(results)).Export(name)
	}
	hand := func(what []byte) api.GoModuleFunc {
		return func(_ context.Context, m api.Module, stack []uint64) {
			n := min(len(what), int(uint32(stack[1])))
			m.Memory().Write(uint32(stack[0]), what[:n])
			stack[0] = uint64(len(what))
		}
	}
	take := func(to *[]byte) api.GoModuleFunc {
		return func(_ context.Context, m api.Module, stack []uint64) {
			what, _ := m.Memory().Read(uint32(stack[0]), uint32(stack[1])) // none is not what is expected
			*to = append((*to)[:0], what...)
		}
	}
	export("function", 2, 1, hand(h.function))
	export("input", 2, 1, hand(h.input))
	export("output", 2, 0, take(&h.output))
	export("fail", 2, 0, take(&h.failure))
	nothing := func(_ context.Context, _ api.Module, stack []uint64) { stack[0] = 0 }
	export("context", 2, 1, nothing)
	export("cancelled", 0, 1, nothing)
	export("log", 3, 0, nothing)
	export("host", 4, 1, nothing)
	export("reply", 2, 1, nothing)
	if _, err := b.Instantiate(ctx); err != nil {
		return fmt.Errorf("providing the imports of the worker ABI: %w", err)
	}
	return nil
}

func i32s(n int) []api.ValueType {
	types := make([]api.ValueType, n)
	for i := range types {
		types[i] = api.ValueTypeI32
	}
	return types
}
