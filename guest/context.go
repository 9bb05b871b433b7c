package guest

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/wasmpool/wasmpool/guest/internal/border"
)

// pollInterval is how often the host is asked, while somebody waits on Done,
// whether the call is cancelled. A guess: well below any useful grace time.
const pollInterval = 10 * time.Millisecond

// Call is what the host says about a call.
type Call struct {
	ID          uint64    // the same in every attempt
	Attempt     int       // 1 for the first
	Deadline    time.Time // zero: none
	Traceparent string    // of W3C Trace Context; empty: none

	// Meta is what the caller attached, by name.
	Meta map[string]json.RawMessage
}

// FromContext returns what is known of the call that ctx belongs to. It reports
// false when ctx belongs to none.
func FromContext(ctx context.Context) (Call, bool) {
	c, ok := ctx.Value(callKey{}).(*callContext)
	if !ok {
		return Call{}, false
	}
	return c.call(), true
}

type callKey struct{}

// callContext is the context of one call. See the package documentation for
// how it learns that the call is cancelled.
type callContext struct {
	host border.Host

	once sync.Once // guards the reading of info
	info Call

	mu   sync.Mutex
	err  error         // set once
	done chan struct{} // nil until somebody asks for it; closed when err is set
}

func newCallContext(host border.Host) *callContext {
	return &callContext{host: host}
}

// hostOf returns the host of the call that ctx belongs to.
func hostOf(ctx context.Context) border.Host {
	if c, ok := ctx.Value(callKey{}).(*callContext); ok {
		return c.host
	}
	return outside
}

// call reads what the host says, on the first need: the time left is what is
// left then. Most calls never need it, and a clock reading costs more than all
// the rest of a small call.
func (c *callContext) call() Call {
	c.once.Do(func() {
		var members map[string]json.RawMessage
		// What is not as the ABI says is left at zero: nothing depends on it here.
		_ = json.Unmarshal(border.ReadAll(c.host.Context, nil), &members)
		var left *int64
		for name, field := range map[string]any{
			"id": &c.info.ID, "attempt": &c.info.Attempt, "traceparent": &c.info.Traceparent, "deadline_ms": &left,
		} {
			if json.Unmarshal(members[name], field) == nil {
				delete(members, name)
			}
		}
		if left != nil {
			c.info.Deadline = time.Now().Add(time.Duration(*left) * time.Millisecond)
		}
		c.info.Meta = members
	})
	return c.info
}

// Deadline implements [context.Context].
func (c *callContext) Deadline() (time.Time, bool) {
	deadline := c.call().Deadline
	return deadline, !deadline.IsZero()
}

// Err implements [context.Context]. It asks the host.
func (c *callContext) Err() error {
	c.mu.Lock()
	err := c.err
	c.mu.Unlock()
	if err != nil {
		return err
	}
	if c.host.Cancelled() {
		return c.end(context.Canceled)
	}
	if deadline, ok := c.Deadline(); ok && !time.Now().Before(deadline) {
		return c.end(context.DeadlineExceeded)
	}
	return nil
}

// Done implements [context.Context].
func (c *callContext) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done == nil {
		c.done = make(chan struct{})
		if c.err != nil {
			close(c.done)
		} else {
			go c.watch(c.done) // ends with the call, at the latest
		}
	}
	return c.done
}

// Value implements [context.Context].
func (c *callContext) Value(key any) any {
	if key == (callKey{}) {
		return c
	}
	return nil
}

// watch asks the host now and then, so that done is closed in time.
func (c *callContext) watch(done <-chan struct{}) {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for c.Err() == nil {
		select {
		case <-ticker.C:
		case <-done:
			return
		}
	}
}

// finish ends the context with its call.
func (c *callContext) finish() { _ = c.end(context.Canceled) }

// end sets the error, unless there is one, and returns the one that holds.
func (c *callContext) end(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
		if c.done != nil {
			close(c.done)
		}
	}
	return c.err
}
