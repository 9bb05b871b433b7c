package main

import (
	"testing"

	"github.com/wasmpool/wasmpool/guest/guesttest"
)

// Worker code is ordinary Go: this test needs no WebAssembly.
func TestCountCountsWords(t *testing.T) {
	t.Parallel()
	got, err := guesttest.Call(t, "count", "one  two\nthree")
	if err != nil || string(got) != "3" {
		t.Errorf("count = %s, %v, want 3", got, err)
	}
}
