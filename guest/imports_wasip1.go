package guest

import (
	"unsafe"

	"github.com/wasmpool/wasmpool/guest/internal/border"
)

// The imports of the ABI. Their names, and that of their module, have to be
// written out here; a test compares them with package abi.

//go:wasmimport wasmpool input
//go:noescape
func wasmInput(buffer unsafe.Pointer, capacity uint32) uint32

//go:wasmimport wasmpool output
//go:noescape
func wasmOutput(payload unsafe.Pointer, length uint32)

//go:wasmimport wasmpool fail
//go:noescape
func wasmFail(payload unsafe.Pointer, length uint32)

//go:wasmimport wasmpool function
//go:noescape
func wasmFunction(buffer unsafe.Pointer, capacity uint32) uint32

//go:wasmimport wasmpool context
//go:noescape
func wasmContext(buffer unsafe.Pointer, capacity uint32) uint32

//go:wasmimport wasmpool cancelled
//go:noescape
func wasmCancelled() int32

//go:wasmimport wasmpool log
//go:noescape
func wasmLog(level int32, record unsafe.Pointer, length uint32)

//go:wasmimport wasmpool host
//go:noescape
func wasmHost(name unsafe.Pointer, nameLength uint32, payload unsafe.Pointer, length uint32) int32

//go:wasmimport wasmpool reply
//go:noescape
func wasmReply(buffer unsafe.Pointer, capacity uint32) uint32

// imports is the real host.
type imports struct{}

// outside serves contexts that belong to no call.
var outside border.Host = imports{}

func start(b []byte) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(b)) }

func (imports) Input(b []byte) int    { return int(wasmInput(start(b), uint32(len(b)))) }
func (imports) Output(b []byte)       { wasmOutput(start(b), uint32(len(b))) }
func (imports) Fail(b []byte)         { wasmFail(start(b), uint32(len(b))) }
func (imports) Function(b []byte) int { return int(wasmFunction(start(b), uint32(len(b)))) }
func (imports) Context(b []byte) int  { return int(wasmContext(start(b), uint32(len(b)))) }
func (imports) Cancelled() bool       { return wasmCancelled() != 0 }
func (imports) Reply(b []byte) int    { return int(wasmReply(start(b), uint32(len(b)))) }

func (imports) Log(level int32, b []byte) { wasmLog(level, start(b), uint32(len(b))) }

func (imports) Host(name string, b []byte) int32 {
	return wasmHost(unsafe.Pointer(unsafe.StringData(name)), uint32(len(name)), start(b), uint32(len(b)))
}

// worker serves the exports of this instance.
var worker = dispatcher{host: imports{}}

//go:wasmexport wasmpool_call
func wasmpoolCall() int32 { return worker.Call() }

//go:wasmexport wasmpool_functions
func wasmpoolFunctions() int32 { return worker.Functions() }

//go:wasmexport wasmpool_init
func wasmpoolInit() int32 { return worker.Init() }

//go:wasmexport wasmpool_signal
func wasmpoolSignal(number int32) { worker.Signal(number) }
