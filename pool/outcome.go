package pool

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/wasmpool/wasmpool/abi"
	"github.com/wasmpool/wasmpool/internal/sched"
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
	if c.outcome == sched.LostNearby {
		e.Because = errNeighbour
	}
	return e
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
