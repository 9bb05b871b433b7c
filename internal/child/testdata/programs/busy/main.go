// Command busy is plain, but that a package of it leaves a goroutine behind when it
// is initialized, which opens files and sockets for ever.
package main

import (
	_ "net"

	"github.com/wasmpool/wasmpool/internal/child/testdata/programs/adds"
	_ "github.com/wasmpool/wasmpool/internal/child/testdata/programs/busy/leaves"
)

func main() { adds.Main() }
