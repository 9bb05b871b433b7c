package pool

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/wasmpool/wasmpool/abi"
	"github.com/wasmpool/wasmpool/internal/sched"
	"github.com/wasmpool/wasmpool/subprocess"
)

// errNeighbour is why a process was killed that had other calls as well.
var errNeighbour = errors.New("another call in the same worker did not end when its caller gave up")

// errDidNotEnd is why a process was killed, for the call itself.
var errDidNotEnd = errors.New("the call did not end when its caller gave up")

// explain turns the end of a call that did not return into an error.
func (p *Pool) explain(ctx context.Context, m *module, function string, c *record) error {
	switch c.outcome {
	case sched.Answered:
		return answerError(m.name, function, c.code, c.payload)
	case sched.Lost, sched.LostNearby:
		return lostError(m.name, function, c)
	case sched.NotStarted:
		return c.worker.notReady()
	case sched.Cancelled:
		return ctx.Err()
	case sched.TimedOut:
		return &LimitError{Module: m.name, Function: function, Limit: "run time", Value: int64(c.Timeout), Unit: "ns"}
	case sched.WaitedOut:
		return &LimitError{Module: m.name, Function: function, Limit: "queue time", Value: int64(c.QueueTimeout), Unit: "ns"}
	case sched.QueueFull:
		return ErrQueueFull
	case sched.Nested:
		return ErrNested
	case sched.PoolNotOpen:
		return p.closedError()
	}
	panic(fmt.Sprintf("bug: pool: call ended with outcome %v", c.outcome))
}

// answerError says what a reply means that is not a result.
func answerError(module, function string, code abi.Code, payload []byte) error {
	if code == abi.OverLimit {
		var l abi.Limit
		if json.Unmarshal(payload, &l) == nil {
			return &LimitError{Module: module, Function: function, Limit: l.Name, Value: l.Value, Unit: l.Unit}
		}
	}
	return newWorkerError(module, function, code, payload)
}

func lostError(module, function string, c *record) error {
	w := c.worker
	e := &UnexpectedExitError{
		Module: module, Function: function, Started: true,
		PID: w.exit.PID, Code: w.exit.Code, Stderr: w.exit.Stderr, Because: w.exit.Reason,
	}
	if w.exit.Signal != nil {
		e.Signal = w.exit.Signal.String()
	}
	var limit *LimitError
	switch {
	case c.outcome == sched.LostNearby:
		e.Because = errNeighbour
	case errors.As(e.Because, &limit):
		e.Because = limit.of(function)
	case e.Because == nil && w.exit.Exceeded:
		e.Because = w.module.settings.Limits.residentMemory(module).of(function)
	case e.Because == nil && outOfMemory(w.exit):
		e.Because = w.module.settings.Limits.processMemory(module).of(function)
	case e.Because == nil && forbidden(w.exit):
		e.Because = errForbidden
	}
	return e
}

// errForbidden is why the kernel ended a process.
var errForbidden = errors.New("it made a system call that its sandbox does not allow")

// forbidden reports whether a process was ended for a system call.
func forbidden(e subprocess.Exit) bool { return e.Signal == signalSyscall }

// outOfMemory reports whether a process ended for lack of memory. That is its own
// word, and good enough for a reason that nothing is decided by.
func outOfMemory(e subprocess.Exit) bool {
	return e.Reason == nil && e.Code == goPanicked &&
		(strings.Contains(e.Stderr, "out of memory") || strings.Contains(e.Stderr, "cannot allocate memory"))
}

// goPanicked is the exit code of a Go program that panics, or that the runtime
// ends.
const goPanicked = 2

// of is the same limit, for a function.
func (e *LimitError) of(function string) *LimitError {
	l := *e
	l.Function = function
	return &l
}

// processMemory and compileMemory say that a process needed more than it may.
func (l Limits) processMemory(module string) *LimitError {
	return &LimitError{Module: module, Limit: "process memory", Value: l.ProcessBytes, Unit: "bytes"}
}

func (l Limits) residentMemory(module string) *LimitError {
	return &LimitError{Module: module, Limit: "resident memory", Value: l.ResidentBytes, Unit: "bytes"}
}

func (l Limits) compileMemory(module string) *LimitError {
	return &LimitError{Module: module, Limit: "compile memory", Value: l.CompileBytes, Unit: "bytes"}
}

// closedError says why a pool takes no calls.
func (p *Pool) closedError() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.everStarted {
		return ErrStopped
	}
	return ErrNotStarted
}
