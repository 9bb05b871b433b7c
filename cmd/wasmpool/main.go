// Command wasmpool calls functions of WebAssembly modules, and tells what is in
// them, without letting them near the machine. It is also a ready-made value of
// pool.Options.Runner: it becomes a worker when a pool starts it.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// The exit codes.
const (
	exitOK     = 0
	exitFailed = 1 // the call failed, or whatever else was asked for
	exitUsage  = 2 // the command line is wrong: nothing was tried
)

// program is what a command sees of the world. It is set once.
type program struct {
	stdin  io.Reader
	stdout io.Writer // results, and nothing else
	stderr io.Writer
	eager  bool // standard error is a terminal: somebody is watching
}

func main() {
	ctx, release := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// After the first signal the usual handling is back, so that a second one
	// ends the program at once.
	context.AfterFunc(ctx, release)
	p := &program{stdin: os.Stdin, stdout: os.Stdout, stderr: serialized(os.Stderr), eager: isTerminal(os.Stderr)}
	os.Exit(p.run(ctx, os.Args[1:]))
}

// isTerminal reports whether somebody seems to read along.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
