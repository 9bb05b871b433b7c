// Command needy is plain, but that a package of it needs its environment when it
// is initialized.
package main

import (
	_ "net"

	"github.com/wasmpool/wasmpool/internal/child/testdata/programs/adds"
	_ "github.com/wasmpool/wasmpool/internal/child/testdata/programs/needy/needs"
)

func main() { adds.Main() }
