// Package main is a Go library in a program that is not Go's.
package main

import "C"

import (
	"fmt"

	"github.com/wasmpool/wasmpool/subprocess"
)

//export embeddable
func embeddable() { fmt.Print(subprocess.Embeddable()) }

func main() {}
