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
			return startWazero(ctx, wazero.NewRuntimeConfigCompiler(), "echo", w.arguments(), w.payload)
		}},
	}
}

// The compute-bound function. Its result has 5 digits.
var (
	fibArguments = []byte(`[22]`)
	fibResult    = len(`17711`)
)

// computeRows are how a guest that computes runs, where nearly nothing passes.
func computeRows(w workload) []row {
	raw := func(closes bool) func(context.Context, workload) (*target, error) {
		return func(ctx context.Context, _ workload) (*target, error) {
			config := wazero.NewRuntimeConfigCompiler().WithCloseOnContextDone(closes)
			return startWazero(ctx, config, "fib", fibArguments, fibResult)
		}
	}
	return []row{
		{workload: w, what: "wasmpool", ours: true, start: func(ctx context.Context, w workload) (*target, error) {
			return startPool(ctx, w, 0, "fib", fibArguments, fibResult)
		}},
		{workload: w, what: "wazero, in process", start: raw(false)},
		{workload: w, what: "wazero, in process, WithCloseOnContextDone", start: raw(true)},
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
		return expect(got, w.payload)
	})}, nil
}

// startWazero runs the guest with no more of the ABI than it needs.
func startWazero(ctx context.Context, config wazero.RuntimeConfig, function string, input []byte, want int) (*target, error) {
	r := wazero.NewRuntimeWithConfig(ctx, config)
	end := func() error { return r.Close(context.Background()) }
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, r); err != nil {
		return nil, errors.Join(fmt.Errorf("providing WASI: %w", err), end())
	}
	host := &host{input: input}
	if err := host.provide(ctx, r); err != nil {
		return nil, errors.Join(err, end())
	}
	guest, err := r.Instantiate(ctx, wasm.Module("echo"))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("instantiating the guest: %w", err), end())
	}
	f, stack := guest.ExportedFunction(function), make([]uint64, 1)
	return &target{close: end, measure: repeat(1, func(ctx context.Context) error {
		if err := f.CallWithStack(ctx, stack); err != nil {
			return err
		}
		return expect(host.output, want)
	})}, nil
}

// host is the least that lets the guest take its arguments and give its result.
type host struct{ input, output []byte }

func (h *host) provide(ctx context.Context, r wazero.Runtime) error {
	b := r.NewHostModuleBuilder("wasmpool")
	export := func(name string, params, results int, f api.GoModuleFunc) {
		b.NewFunctionBuilder().WithGoModuleFunction(f, i32s(params), i32s(results)).Export(name)
	}
	export("input", 2, 1, func(_ context.Context, m api.Module, stack []uint64) {
		n := min(len(h.input), int(uint32(stack[1])))
		m.Memory().Write(uint32(stack[0]), h.input[:n])
		stack[0] = uint64(len(h.input))
	})
	export("output", 2, 0, func(_ context.Context, m api.Module, stack []uint64) {
		result, _ := m.Memory().Read(uint32(stack[0]), uint32(stack[1])) // none is not what is expected
		h.output = append(h.output[:0], result...)
	})
	nothing := func(_ context.Context, _ api.Module, stack []uint64) { stack[0] = 0 }
	export("fail", 2, 0, nothing)
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
