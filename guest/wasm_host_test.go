package guest_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"sync"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/wasmpool/wasmpool/abi"
	"github.com/wasmpool/wasmpool/internal/guestbuild"
)

// wasmHost is the smallest host of the ABI: one instance of the test worker,
// one call at a time, no limits and no second wall.
type wasmHost struct {
	ctx    context.Context // of the calls
	module api.Module
	pages  api.Memory
	code   wazero.CompiledModule

	// What the imports see and leave behind.
	function  string
	input     []byte
	about     string
	asked     func() // when the guest asks for its function
	cancelled func() bool
	granted   map[string]func([]byte) ([]byte, int32)
	output    []byte
	failed    []byte
	reply     []byte
	logs      []string
	stdout    bytes.Buffer
	stderr    bytes.Buffer
}

// compiled lets the test worker be compiled by one test and used by all.
var (
	compiled  = wazero.NewCompilationCache()
	compiling sync.Mutex // the cache does not like two at once
)

// newWasmHost instantiates the test worker in a runtime of its own.
func newWasmHost(t testing.TB, env ...string) *wasmHost {
	t.Helper()
	return newWasmHostIn(t, wazero.NewRuntimeConfig(), env...)
}

func newWasmHostIn(t testing.TB, runtime wazero.RuntimeConfig, env ...string) *wasmHost {
	t.Helper()
	wasm := guestbuild.Go(t, "testworker")
	ctx := context.WithoutCancel(t.Context()) // the cleanup still needs it
	r := wazero.NewRuntimeWithConfig(ctx, runtime.WithCompilationCache(compiled).WithMemoryLimitPages(64<<20>>16))
	t.Cleanup(func() { _ = r.Close(ctx) })
	wasi_snapshot_preview1.MustInstantiate(ctx, r)
	h := &wasmHost{ctx: ctx, about: "{}"}
	b := r.NewHostModuleBuilder(abi.Module)
	for name, f := range h.imports() {
		b.NewFunctionBuilder().WithGoModuleFunction(f.run, f.params, f.results).Export(name)
	}
	if _, err := b.Instantiate(ctx); err != nil {
		t.Fatal(err)
	}
	config := wazero.NewModuleConfig().WithName("").WithStartFunctions(abi.ExportInitialize).WithArgs("testworker", "one", "two").
		WithStdout(&h.stdout).WithStderr(&h.stderr).WithSysWalltime().WithSysNanotime().WithSysNanosleep().WithRandSource(rand.Reader)
	for _, e := range env {
		config = config.WithEnv(e, "set")
	}
	compiling.Lock()
	code, err := r.CompileModule(ctx, wasm)
	compiling.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	h.code = code
	// The memory is at hand only after instantiation, but _initialize runs no import of ours.
	if h.module, err = r.InstantiateModule(ctx, code, config); err != nil {
		t.Fatal(err)
	}
	h.pages = h.module.Memory()
	return h
}

// hostFunc is an import, on wazero's stack of parameters and results.
type hostFunc struct {
	params, results []api.ValueType
	run             api.GoModuleFunc
}

func (h *wasmHost) imports() map[string]hostFunc {
	const i32 = api.ValueTypeI32
	pull := func(from func() []byte) hostFunc {
		return hostFunc{[]api.ValueType{i32, i32}, []api.ValueType{i32}, func(_ context.Context, _ api.Module, s []uint64) {
			s[0] = uint64(h.fill(uint32(s[0]), uint32(s[1]), from()))
		}}
	}
	push := func(to func([]byte)) hostFunc {
		return hostFunc{[]api.ValueType{i32, i32}, nil, func(_ context.Context, _ api.Module, s []uint64) {
			to(h.copied(uint32(s[0]), uint32(s[1])))
		}}
	}
	return map[string]hostFunc{
		abi.ImportInput:    pull(func() []byte { return h.input }),
		abi.ImportContext:  pull(func() []byte { return []byte(h.about) }),
		abi.ImportReply:    pull(func() []byte { return h.reply }),
		abi.ImportFunction: pull(h.named),
		abi.ImportOutput:   push(func(b []byte) { h.output = b }),
		abi.ImportFail:     push(func(b []byte) { h.failed = b }),
		abi.ImportCancelled: {nil, []api.ValueType{i32}, func(_ context.Context, _ api.Module, s []uint64) {
			s[0] = h.isCancelled()
		}},
		abi.ImportLog: {[]api.ValueType{i32, i32, i32}, nil, func(_ context.Context, _ api.Module, s []uint64) {
			h.logs = append(h.logs, fmt.Sprintf("%d %s", api.DecodeI32(s[0]), h.copied(uint32(s[1]), uint32(s[2]))))
		}},
		abi.ImportHost: {[]api.ValueType{i32, i32, i32, i32}, []api.ValueType{i32}, func(_ context.Context, _ api.Module, s []uint64) {
			s[0] = api.EncodeI32(h.call(string(h.copied(uint32(s[0]), uint32(s[1]))), h.copied(uint32(s[2]), uint32(s[3]))))
		}},
	}
}

func (h *wasmHost) named() []byte {
	if h.asked != nil {
		h.asked()
	}
	return []byte(h.function)
}

// invoke runs an export. An error ends the instance.
func (h *wasmHost) invoke(export string, params ...uint64) (status int32, err error) {
	h.output, h.failed, h.reply = nil, nil, nil
	results, err := h.module.ExportedFunction(export).Call(h.ctx, params...)
	if err == nil && len(results) == 1 {
		status = api.DecodeI32(results[0])
	}
	return status, err
}

// run is one call of a function: its status, what it put out, and the error
// that it gave, if any.
func (h *wasmHost) run(t *testing.T, function, arguments string) (int32, string, *abi.Error) {
	t.Helper()
	h.function, h.input = function, []byte(arguments)
	status, err := h.invoke(abi.ExportCall)
	if err != nil {
		t.Fatalf("%s(%.80s): %v", function, arguments, err)
	}
	var failure *abi.Error
	if h.failed != nil {
		failure = abi.ParseError(h.failed)
	}
	return status, string(h.output), failure
}

func (h *wasmHost) fill(ptr, capacity uint32, from []byte) uint32 {
	if !h.pages.Write(ptr, from[:min(int(capacity), len(from))]) {
		panic("range outside the memory")
	}
	return uint32(len(from))
}

func (h *wasmHost) copied(ptr, length uint32) []byte {
	b, ok := h.pages.Read(ptr, length)
	if !ok {
		panic("range outside the memory")
	}
	return append([]byte{}, b...)
}

func (h *wasmHost) isCancelled() uint64 {
	if h.cancelled != nil && h.cancelled() {
		return 1
	}
	return 0
}

func (h *wasmHost) call(name string, payload []byte) int32 {
	f, ok := h.granted[name]
	if !ok {
		return abi.HostNotFound
	}
	reply, status := f(payload)
	h.reply = reply
	if status != 0 {
		return status
	}
	return int32(len(reply))
}

// names returns what wasmpool_functions puts out.
func (h *wasmHost) names(t *testing.T) []string {
	t.Helper()
	var names []string
	if status, err := h.invoke(abi.ExportFunctions); status != 0 || err != nil {
		t.Fatalf("%s = %d, %v", abi.ExportFunctions, status, err)
	}
	if err := json.Unmarshal(h.output, &names); err != nil {
		t.Fatal(err)
	}
	return names
}
