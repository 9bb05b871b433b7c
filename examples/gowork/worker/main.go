// The worker: what others may call of it is exported in init.
package main

import (
	"strings"

	"github.com/wasmpool/wasmpool/guest"
)

func init() {
	guest.Export("count", func(text string) int { return len(strings.Fields(text)) })
}

func main() {} // never runs
