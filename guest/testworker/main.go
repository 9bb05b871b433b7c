// Command testworker is the Go worker of this repository's tests: one small
// function for each thing that a worker can do, and for each way to misbehave.
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -o testworker.wasm ./guest/testworker
package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/wasmpool/wasmpool/guest"
)

func main() {}

func init() {
	guest.OnInit(start)
	guest.OnSignal(stop)

	guest.ExportRaw("echo", func(_ context.Context, arguments []byte) ([]byte, error) { return arguments, nil })
	guest.Export("greet", func(name string) string { return "Hello, " + name })
	guest.Export("add", add)
	guest.Export("counter", count)
	guest.Export("big", func(bytes int) string { return strings.Repeat("x", bytes) })

	guest.Export("fail", fail)
	guest.Export("panic", func(value any) { panic(value) })
	guest.Export("exit", func(code int) { os.Exit(code) })

	guest.Export("log", writeLog)
	guest.Export("print", printLine)
	guest.Export("host", callHost)
	guest.Export("context", describe)
	guest.Export("env", os.Getenv)
	guest.Export("args", func() []string { return os.Args })

	guest.Export("sleep", func(ms int) { time.Sleep(time.Duration(ms) * time.Millisecond) })
	guest.Export("wait", wait)
	guest.Export("poll", poll)
	guest.Export("loop", loop)
	guest.Export("recurse", func(depth int) int { return recurse(depth) })
	guest.Export("garbage", garbage)
	guest.Export("hold", hold)
}

// start fails if the environment wants that.
func start() error {
	if reason := os.Getenv("FAIL_INIT"); reason != "" {
		return errors.New(reason)
	}
	return nil
}

func stop(signal int) {
	guest.Log(context.Background(), slog.LevelInfo, "asked to stop", "signal", signal)
}

// add returns the sum of its arguments.
func add(numbers ...float64) float64 {
	sum := 0.0
	for _, n := range numbers {
		sum += n
	}
	return sum
}

var counter int

// count returns how often it has been called in this instance.
func count() int {
	counter++
	return counter
}

// fail fails: with all that an error can hold if there is a name, else plainly.
func fail(name, message string, data json.RawMessage) error {
	if name == "" {
		return errors.New(message)
	}
	return &guest.Error{Name: name, Message: message, Data: data}
}

// writeLog logs a message at a level.
func writeLog(ctx context.Context, level int, message string) {
	guest.Log(ctx, slog.Level(level), message)
}

// printLine writes to standard output and standard error.
func printLine(text string) error {
	_, err := os.Stdout.WriteString(text + "\n")
	_, err2 := os.Stderr.WriteString(text + "\n")
	return errors.Join(err, err2)
}

// callHost passes its arguments to a host function, and returns its reply.
func callHost(ctx context.Context, name string, arguments ...json.RawMessage) (json.RawMessage, error) {
	if arguments == nil {
		arguments = []json.RawMessage{}
	}
	var reply json.RawMessage
	err := guest.Host(ctx, name, arguments, &reply)
	if _, ok := errors.AsType[*guest.NotGrantedError](err); ok {
		return nil, &guest.Error{Name: "NotGrantedError", Message: err.Error()}
	}
	return reply, err
}

// description is what a function can learn of its call.
type description struct {
	ID          uint64                     `json:"id"`
	Attempt     int                        `json:"attempt"`
	HasDeadline bool                       `json:"has_deadline"`
	LeftMS      int64                      `json:"left_ms"`
	Traceparent string                     `json:"traceparent"`
	Meta        map[string]json.RawMessage `json:"meta"`
}

// describe returns what is known of the call.
func describe(ctx context.Context) (description, error) {
	call, ok := guest.FromContext(ctx)
	if !ok {
		return description{}, errors.New("the context belongs to no call")
	}
	d := description{ID: call.ID, Attempt: call.Attempt, Traceparent: call.Traceparent, Meta: call.Meta}
	if deadline, ok := ctx.Deadline(); ok {
		d.HasDeadline, d.LeftMS = true, time.Until(deadline).Milliseconds()
	}
	return d, nil
}

// wait waits until its call is cancelled, without using the processor.
func wait(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// poll computes until its call is cancelled.
func poll(ctx context.Context) error {
	for ctx.Err() == nil {
	}
	return ctx.Err()
}

// loop never ends.
func loop() {
	for { //nolint:staticcheck // a runaway guest is what the tests need
	}
}

// recurse needs stack for depth frames; negative means for ever.
//
//go:noinline
func recurse(depth int) int {
	if depth == 0 {
		return 0
	}
	return recurse(depth-1) + 1
}

var sink []byte

// garbage allocates so many MiB, in pieces that are garbage at once, and returns
// the number of bytes.
func garbage(mib int) int {
	bytes := 0
	for range mib * 16 {
		sink = make([]byte, 64<<10)
		bytes += len(sink)
	}
	return bytes
}

var held [][]byte

// hold allocates so many MiB, keeps them, and returns how many it keeps.
func hold(mib int) int {
	for range mib {
		piece := make([]byte, 1<<20)
		for i := 0; i < len(piece); i += 4096 {
			piece[i] = 1
		}
		held = append(held, piece)
	}
	return len(held)
}
