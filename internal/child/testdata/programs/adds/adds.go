// Package adds adds two numbers in a worker, with the runner that the program's
// argument names, and prints the sum or what went wrong.
package adds

import (
	"context"
	"fmt"
	"os"

	"github.com/wasmpool/wasmpool/pool"
	"github.com/wasmpool/wasmpool/testdata/wasm"
)

// Main is a program.
func Main() {
	p, err := pool.New(pool.Options{Runner: os.Args[1], Modules: map[string]pool.Module{"echo": {Bytes: wasm.Module("echo")}}})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	defer p.Close()
	sum, err := p.Call(context.Background(), "echo", "add", 1, 2)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(sum))
}
