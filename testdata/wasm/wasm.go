// Package wasm holds the small modules that the tests run. Their sources are in
// src; the script build makes them again.
package wasm

import "embed"

//go:embed *.wasm
var modules embed.FS

// Module returns the module of a file, "echo" for echo.wasm. The slice is a
// copy. A name that does not exist is a mistake in a test, and panics.
func Module(name string) []byte {
	b, err := modules.ReadFile(name + ".wasm")
	if err != nil {
		panic("bug: wasm: " + err.Error())
	}
	return b
}
