// Package guest makes the functions of a Go program callable from a pool: it is
// the SDK for workers written in Go.
//
// A worker exports its functions in init and has an empty main:
//
//	package main
//
//	import "github.com/wasmpool/wasmpool/guest"
//
//	func init() {
//		guest.Export("greet", func(name string) string { return "Hello, " + name })
//	}
//
//	func main() {}
//
// It is built as a WASI reactor; main is then never run:
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -o worker.wasm
//
// # Calls
//
// An instance serves one call at a time, and keeps its variables from call to
// call. Goroutines advance only while a call is under way, and none preempts
// another: a goroutine that outlives its call stands still until the next one.
//
// A function that returns an error, or panics, fails the call; the instance
// goes on. Memory exhaustion, stack overflow, [os.Exit] and a deadlock of all
// goroutines end the instance; the host makes a new one for the next call.
//
// Standard output and standard error are the worker's log.
//
// # Cancellation
//
// Nothing interrupts a guest from outside. The context of a call asks the host,
// each time that its Err method is called, whether the caller has given up; the
// channel of its Done method is served by a goroutine that asks every 10 ms
// while others wait. A loop that computes without waiting should therefore look
// at ctx.Err() now and then. A function that does neither is ended by force,
// with its process, after the host's grace time.
//
// # Tests
//
// Guest code is ordinary Go: package guesttest runs exported functions natively,
// in go test, with a host that the test scripts.
package guest
