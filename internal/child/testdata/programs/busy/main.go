// Command busy is plain, but that a package of it leaves a goroutine behind when it
// is initialized, which opens files and sockets for ever.
package main

import (
	"context"
	"fmt"
	_ "net"
	"os"

	_ "github.com/wasmpool/wasmpool/internal/child/testdata/programs/busy/leaves"
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
