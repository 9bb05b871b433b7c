// Command guest is the Go guest of the benchmarks, which build it themselves.
package main

import (
	"context"

	"github.com/wasmpool/wasmpool/guest"
)

func main() {}

func init() {
	guest.ExportRaw("echo", func(_ context.Context, arguments []byte) ([]byte, error) { return arguments, nil })
	guest.Export("echoText", func(text string) string { return text })
	guest.Export("recode", func(people []person) []person { return people })
}

// person is what the document is made of that is decoded and encoded again.
type person struct {
	Name    string            `json:"name"`
	Age     int               `json:"age"`
	Weight  float64           `json:"weight"`
	Active  bool              `json:"active"`
	Tags    []string          `json:"tags"`
	Address map[string]string `json:"address"`
}
