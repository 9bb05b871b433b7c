// Command guest is the Go guest of the benchmarks, which build it themselves.
package main

import "github.com/wasmpool/wasmpool/guest"

func main() {}

func init() {
	guest.Export("echo", func(text string) string { return text })
}
