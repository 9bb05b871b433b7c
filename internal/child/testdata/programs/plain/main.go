// Command plain adds two numbers in a worker. It imports net, so that it is linked
// with C where there is a compiler.
package main

import (
	_ "net"

	"github.com/wasmpool/wasmpool/internal/child/testdata/programs/adds"
)

func main() { adds.Main() }
