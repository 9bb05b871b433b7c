package pool

import (
	"context"
	"time"

	"github.com/wasmpool/wasmpool/abi"
	"github.com/wasmpool/wasmpool/internal/sched"
	"github.com/wasmpool/wasmpool/subprocess"
)

// record is a call under way. It is its caller's; what the lock guards is said.
type record struct {
	sched.Call // p.mu

	wire     subprocess.Call // p.mu
	deadline time.Time       // when the caller's context ends; zero: never
	done     chan struct{}   // holds one: the call is settled

	// Its caller's, while it attends to the call.
	context   context.Context
	watch     func()      // begins to watch the context, unless it has begun
	unwatch   func() bool // ends it, and reports whether it had not ended
	cancelled chan struct{}

	// Set before done is told.
	outcome sched.Outcome
	code    abi.Code
	payload []byte
	worker  *worker // that was lost, or did not start
	held    bool    // a worker still has the call
}

func (p *Pool) freshRecord() any {
	c := &record{done: make(chan struct{}, 1)}
	c.watch = func() {
		if c.unwatch != nil {
			return
		}
		c.cancelled = make(chan struct{})
		c.unwatch = context.AfterFunc(c.context, func() {
			defer close(c.cancelled)
			p.cancel(c)
		})
	}
	return c
}

func (p *Pool) newRecord(ctx context.Context, m *module, function string, body *subprocess.Body, o callOptions) *record {
	c := p.records.Get().(*record) // zero, but for what serves every call
	c.Module, c.Bytes, c.Owner = &m.Module, int64(len(body.Bytes)), c
	c.Timeout, c.QueueTimeout = o.timeout, o.queueTimeout
	c.Retry, c.Nested = o.idempotent && p.options.Retry, o.nested
	c.wire.Function, c.wire.Meta, c.wire.Body = function, o.meta, body
	c.deadline, _ = ctx.Deadline()
	return c
}

// retire lets the record be used for another call, unless a worker still has
// this one.
func (p *Pool) retire(c *record) {
	if c.held {
		return
	}
	c.Call, c.wire = sched.Call{}, subprocess.Call{}
	c.outcome, c.code, c.payload, c.worker = 0, 0, nil, nil
	p.records.Put(c)
}

// timeLeft is what a call has left to run when it is sent; negative: no bound.
func (c *record) timeLeft(now time.Time) time.Duration {
	left := time.Duration(-1)
	if c.Timeout > 0 {
		left = c.Timeout
	}
	if !c.deadline.IsZero() {
		if d := max(c.deadline.Sub(now), 0); left < 0 || d < left {
			left = d
		}
	}
	return left
}
