package pool

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/wasmpool/wasmpool/abi"
	"github.com/wasmpool/wasmpool/subprocess"
)

// Errors that only say which.
var (
	// ErrNotStarted: the pool was never started.
	ErrNotStarted = errors.New("pool: not started")

	// ErrStopped: the pool is stopping or stopped; the call did not start. It
	// also is [ErrNotStarted].
	ErrStopped error = stoppedError{}

	// ErrQueueFull: as many calls, or bytes of them, wait as may; the call did
	// not start.
	ErrQueueFull = errors.New("pool: queue full")

	// ErrNested: a call made by a host function would have had to wait for
	// another call to end, which may be the one that waits for it; it did not
	// start.
	ErrNested = errors.New("pool: nested call would have to wait for a worker")
)

type stoppedError struct{}

func (stoppedError) Error() string { return "pool: stopped" }

// Is reports that a stopped pool is one that is not started.
func (stoppedError) Is(target error) bool {
	return target == ErrNotStarted
}

// WorkerError is what a guest function threw, or how it ended instead of
// returning.
type WorkerError struct {
	Module, Function string

	// Name, Message, Stack and Data are the guest's own words: untrusted text.
	// The host sets Name where the guest could not: "FunctionNotFound", "Trap",
	// "Exit", or "InvalidResult" for a result that is not JSON.
	Name    string
	Message string
	Stack   string
	Data    json.RawMessage
	Extra   map[string]json.RawMessage // members that have no field here

	// Code says how the call ended, in the numbers of the ABI.
	Code abi.Code
}

func (e *WorkerError) Error() string {
	return fmt.Sprintf("pool: call %q: %s", e.Function, printable((&abi.Error{Name: e.Name, Message: e.Message}).Error()))
}

func newWorkerError(module, function string, code abi.Code, payload []byte) *WorkerError {
	g := abi.ParseError(payload)
	return &WorkerError{
		Module: module, Function: function, Code: code,
		Name: g.Name, Message: g.Message, Stack: g.Stack, Data: g.Data, Extra: g.Extra,
	}
}

// LimitError says that a call or a module exceeded a limit. For the limits of
// time it also is [context.DeadlineExceeded].
type LimitError struct {
	Module, Function string // no function: the module's start
	Limit            string // which: "run time", "queue time", "output", "process memory" …
	Value            int64  // the limit, in Unit
	Unit             string // "ns", "bytes" …
}

func (e *LimitError) Error() string {
	value := fmt.Sprintf("%d %s", e.Value, e.Unit)
	if e.Unit == "ns" {
		value = time.Duration(e.Value).String()
	}
	what := fmt.Sprintf("call %q", e.Function)
	if e.Function == "" {
		what = fmt.Sprintf("module %q", e.Module)
	}
	return fmt.Sprintf("pool: %s: %s exceeds its limit of %s", what, printable(e.Limit), printable(value))
}

// Is reports that a limit of time is a deadline.
func (e *LimitError) Is(target error) bool {
	return e.Unit == "ns" && target == context.DeadlineExceeded
}

// UnexpectedExitError says that a worker process ended while it had the call.
type UnexpectedExitError struct {
	Module, Function string

	PID    int
	Code   int    // exit code; -1 when a signal ended it
	Signal string // the signal's name; empty when it exited
	Stderr string // the beginning (512 bytes) and the end (8 KiB) of its standard error: untrusted text

	// Started says that the call may have run, wholly or in part. A call that
	// surely did not start is never failed with this error.
	Started bool

	// Because is why the pool ended the process, when it did: for another call
	// that did not end, or because the pool stopped.
	Because error
}

func (e *UnexpectedExitError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "pool: call %q: worker %d exited before replying (", e.Function, e.PID)
	if e.Signal != "" {
		b.WriteString("signal: " + e.Signal)
	} else {
		fmt.Fprintf(&b, "exit code %d", e.Code)
	}
	b.WriteString(")")
	if e.Because != nil {
		b.WriteString(": " + e.Because.Error())
	}
	return b.String()
}

// Unwrap returns Because.
func (e *UnexpectedExitError) Unwrap() error { return e.Because }

// NotReadyError says that a worker process did not become ready. The calls that
// it fails did not start.
type NotReadyError struct {
	Module string // empty for a process without a module
	Err    error  // what went wrong
	Exit   subprocess.Exit
}

func (e *NotReadyError) Error() string {
	var b strings.Builder
	b.WriteString("pool: worker")
	if e.Module != "" {
		fmt.Fprintf(&b, " for %q", e.Module)
	}
	b.WriteString(" did not become ready: " + e.Err.Error())
	if last := strings.TrimSpace(e.Exit.Stderr); last != "" {
		fmt.Fprintf(&b, "; its last words: %q", last)
	}
	return b.String()
}

// Unwrap returns Err.
func (e *NotReadyError) Unwrap() error { return e.Err }

// ModuleError says why a module cannot be a worker. The calls that it fails did
// not start.
type ModuleError struct {
	Module  string
	Fault   abi.Fault
	Message string
	Err     error // what it comes from, or nil
}

func (e *ModuleError) Error() string {
	return fmt.Sprintf("pool: module %q: %s: %s", e.Module, printable(string(e.Fault)), printable(e.Message))
}

// Unwrap returns Err.
func (e *ModuleError) Unwrap() error { return e.Err }
