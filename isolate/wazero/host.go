package wazero

import (
	"context"
	"encoding/binary"
	"fmt"
	"unicode/utf16"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/wasmpool/wasmpool/abi"
	"github.com/wasmpool/wasmpool/isolate/engine"
)

// hostFunction is an import of the worker ABI. It takes its parameters from
// the stack and leaves its result there.
type hostFunction struct {
	params  int // all of them i32
	results int
	run     func(x *instance, guest api.Module, stack []uint64)
}

// hostFunctions are the imports of the worker ABI.
var hostFunctions = map[string]hostFunction{
	abi.ImportInput:     {2, 1, input},
	abi.ImportOutput:    {2, 0, output},
	abi.ImportFail:      {2, 0, fail},
	abi.ImportFunction:  {2, 1, functionName},
	abi.ImportContext:   {2, 1, callContext},
	abi.ImportCancelled: {0, 1, cancelled},
	abi.ImportLog:       {3, 0, log},
	abi.ImportHost:      {4, 1, callHost},
	abi.ImportReply:     {2, 1, reply},
}

func compileHost(ctx context.Context, r wazero.Runtime) (wazero.CompiledModule, error) {
	b := r.NewHostModuleBuilder(abi.Module)
	for name, f := range hostFunctions {
		export(b, name, f)
	}
	return b.Compile(ctx)
}

// compileEnv provides what AssemblyScript imports unless told otherwise.
func compileEnv(ctx context.Context, r wazero.Runtime) (wazero.CompiledModule, error) {
	b := r.NewHostModuleBuilder("env")
	export(b, "abort", hostFunction{4, 0, abort})
	return b.Compile(ctx)
}

func export(b wazero.HostModuleBuilder, name string, f hostFunction) {
	i32s := []api.ValueType{api.ValueTypeI32, api.ValueTypeI32, api.ValueTypeI32, api.ValueTypeI32}
	run := f.run
	b.NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(func(ctx context.Context, guest api.Module, stack []uint64) {
		g, ok := ctx.(*guestContext)
		if !ok {
			panic(fmt.Sprintf("bug: wazero: %s called with a %T", name, ctx))
		}
		g.instance.serving = true
		run(g.instance, guest, stack)
		g.instance.serving = false
	}), i32s[:f.params], i32s[:f.results]).Export(name)
}

func input(x *instance, guest api.Module, stack []uint64) {
	x.copyOut("input", guest, stack, x.host.Input())
}

func reply(x *instance, guest api.Module, stack []uint64) {
	x.copyOut("reply", guest, stack, x.host.Reply())
}

func callContext(x *instance, guest api.Module, stack []uint64) {
	x.copyOut("context", guest, stack, x.host.Context())
}

func functionName(x *instance, guest api.Module, stack []uint64) {
	name := x.host.Function()
	copy(x.view("function", guest, stack[0], stack[1]), name)
	stack[0] = uint64(uint32(len(name)))
}

// copyOut copies at most cap bytes to (ptr, cap), and returns their full
// length.
func (x *instance) copyOut(what string, guest api.Module, stack []uint64, data []byte) {
	copy(x.view(what, guest, stack[0], stack[1]), data)
	stack[0] = uint64(uint32(len(data)))
}

func output(x *instance, guest api.Module, stack []uint64) {
	if err := x.host.Output(x.view("output", guest, stack[0], stack[1])); err != nil {
		x.end(err)
	}
}

func fail(x *instance, guest api.Module, stack []uint64) {
	if err := x.host.Fail(x.view("fail", guest, stack[0], stack[1])); err != nil {
		x.end(err)
	}
}

func cancelled(x *instance, _ api.Module, stack []uint64) {
	stack[0] = 0
	if x.host.Cancelled() {
		stack[0] = 1
	}
}

func log(x *instance, guest api.Module, stack []uint64) {
	x.host.Log(api.DecodeI32(stack[0]), x.view("log", guest, stack[1], stack[2]))
}

func callHost(x *instance, guest api.Module, stack []uint64) {
	name := x.view("host", guest, stack[0], stack[1])
	payload := x.view("host", guest, stack[2], stack[3])
	n, err := x.host.Call(name, payload)
	if err != nil {
		x.end(err)
	}
	stack[0] = api.EncodeI32(n)
}

// maxAbort bounds the message of an abort, in bytes of UTF-16. A guess.
const maxAbort = 4 << 10

// levelError is the level of an error in log/slog.
const levelError = 8

// abort is AssemblyScript's: message and file are pointers to UTF-16 strings
// with their length in bytes before them, or null.
func abort(x *instance, guest api.Module, stack []uint64) {
	message := x.assemblyScriptString(guest, uint32(stack[0]))
	if message == "" {
		message = "abort"
	}
	if file := x.assemblyScriptString(guest, uint32(stack[1])); file != "" {
		message += fmt.Sprintf(" (%s:%d:%d)", file, uint32(stack[2]), uint32(stack[3]))
	}
	x.host.Log(levelError, []byte(message))
	x.end(&engine.TrapError{Message: message})
}

func (x *instance) assemblyScriptString(guest api.Module, ptr uint32) string {
	if ptr < 4 || !x.module.hasMemory {
		return ""
	}
	size, ok := guest.Memory().ReadUint32Le(ptr - 4)
	if !ok {
		return ""
	}
	b, ok := guest.Memory().Read(ptr, min(size, maxAbort)&^1)
	if !ok {
		return ""
	}
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return string(utf16.Decode(units))
}

// view is the guest's memory at (ptr, size). What lies outside traps.
func (x *instance) view(what string, guest api.Module, ptr, size uint64) []byte {
	p, n := uint32(ptr), uint32(size)
	if n == 0 {
		return nil
	}
	if !x.module.hasMemory {
		x.end(&engine.TrapError{Message: what + ": the module has no memory"})
	}
	memory := guest.Memory()
	b, ok := memory.Read(p, n)
	if !ok {
		x.end(&engine.TrapError{Message: fmt.Sprintf(
			"out of bounds memory access: %s of %d bytes at %d in a memory of %d", what, n, p, memory.Size())})
	}
	return b
}
