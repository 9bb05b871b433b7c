// Command wasmpool-runner is the smallest program that a pool can run its workers
// in (Options.Runner): it has nothing of the program that has the pool, neither
// what that links nor what its packages do when they are initialized.
//
// Build it without cgo, so that it needs no library of the machine:
//
//	CGO_ENABLED=0 go build -trimpath -ldflags=-s github.com/wasmpool/wasmpool/cmd/wasmpool-runner
package main

import (
	"fmt"
	"os"

	"github.com/wasmpool/wasmpool/internal/child"
)

func main() {
	child.TakeOver() // does not return in a child
	fmt.Fprintln(os.Stderr, "wasmpool-runner: it is started by a pool, as Options.Runner says, and is of no use by hand")
	os.Exit(2)
}
