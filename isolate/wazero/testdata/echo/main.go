// Command echo is a worker without an SDK: it gives back what it was given, and
// makes garbage when it is told to.
package main

import "unsafe"

//go:wasmimport wasmpool input
func input(ptr unsafe.Pointer, capacity uint32) uint32

//go:wasmimport wasmpool output
func output(ptr unsafe.Pointer, length uint32)

var buffer = make([]byte, 4096)

//go:wasmexport echo
func echo() int32 {
	n := input(unsafe.Pointer(&buffer[0]), uint32(len(buffer)))
	if int(n) > len(buffer) {
		buffer = make([]byte, n)
		input(unsafe.Pointer(&buffer[0]), n)
	}
	output(unsafe.Pointer(&buffer[0]), n)
	return 0
}

var kept []byte

// garbage makes 64 KiB of it.
//
//go:wasmexport garbage
func garbage() int32 {
	kept = make([]byte, 64<<10)
	return 0
}

//go:wasmexport panics
func panics() int32 { panic("boom") }

func main() {}
