// Command plain adds two numbers in a worker, with the runner that its argument
// names. It imports net, so that it is linked with C where there is a compiler.
package main

import (
	"context"
	"fmt"
	_ "net"
	"os"

	"github.com/wasmpool/wasmpool/pool"
	"github.com/wasmpool/wasmpool/testdata/wasm"
)

func main() {
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
