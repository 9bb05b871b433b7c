package main

import (
	"context"

	"github.com/wasmpool/wasmpool/testdata/wasm"
)

// guest is a module whose functions are called.
type guest struct {
	name string
	wasm func(context.Context) ([]byte, error)
}

// cGuest is the small guest: a module in C without a library.
var cGuest = guest{"C guest", func(context.Context) ([]byte, error) { return wasm.Module("echo"), nil }}

// goGuest is the large one, with Go's runtime in it.
func goGuest(b *builds) guest { return guest{"Go guest", b.guest} }

// job is a call that a row makes again and again.
type job struct {
	guest    guest
	function string
	args     []byte
	want     int // bytes of the answer
}

// echo has a guest send a payload back.
func (g guest) echo(w workload) job { return job{g, "echo", w.arguments(), w.payload} }
