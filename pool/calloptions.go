package pool

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// CallOption is a setting of calls: of those that a [Pool.Proxy] or a [Func]
// makes, or, by [WithCallOptions], of those made with a context.
type CallOption func(*callOptions)

type callOptions struct {
	timeout      time.Duration
	queueTimeout time.Duration
	idempotent   bool
	nested       bool
	meta         json.RawMessage
	err          error
}

// Idempotent says that a call may run twice without harm: with Options.Retry it
// is run again when its worker is lost.
func Idempotent() CallOption { return func(o *callOptions) { o.idempotent = true } }

// Timeout bounds the time that a call runs, once it does. Zero means what
// Options.CallTimeout says.
func Timeout(d time.Duration) CallOption {
	return func(o *callOptions) {
		if o.timeout = d; d < 0 {
			o.err = fmt.Errorf("pool: call option Timeout is %v; want zero or more", d)
		}
	}
}

// QueueTimeout bounds the time that a call waits before it runs. Zero means what
// Options.QueueTimeout says.
func QueueTimeout(d time.Duration) CallOption {
	return func(o *callOptions) {
		if o.queueTimeout = d; d < 0 {
			o.err = fmt.Errorf("pool: call option QueueTimeout is %v; want zero or more", d)
		}
	}
}

// Meta attaches a JSON object to a call, which the guest finds in its context:
// a traceparent, a tenant. It is encoded once, here.
func Meta(members map[string]any) CallOption {
	meta, err := json.Marshal(members)
	if err != nil {
		err = fmt.Errorf("pool: call option Meta is not for JSON: %w", err)
	}
	return func(o *callOptions) {
		o.meta = meta
		if err != nil {
			o.err = err
		}
	}
}

func newCallOptions(options []CallOption) callOptions { return callOptions{}.with(options) }

func (o callOptions) with(options []CallOption) callOptions {
	for _, set := range options {
		set(&o)
	}
	return o
}

type optionsKey struct{}

// WithCallOptions returns a context whose calls have these options, beside and
// before those of the function they are made with.
func WithCallOptions(ctx context.Context, options ...CallOption) context.Context {
	if before, ok := ctx.Value(optionsKey{}).([]CallOption); ok {
		options = append(before[:len(before):len(before)], options...)
	}
	return context.WithValue(ctx, optionsKey{}, options)
}

// nestedKey marks the contexts of host functions of a pool.
type nestedKey struct{}

// complete adds to the options of a call those of its context and of the pool.
func (p *Pool) complete(ctx context.Context, o callOptions) callOptions {
	if options, ok := ctx.Value(optionsKey{}).([]CallOption); ok {
		o = o.with(options)
	}
	o.nested = ctx.Value(nestedKey{}) == p
	o.timeout = or(o.timeout, p.options.CallTimeout)
	o.queueTimeout = or(o.queueTimeout, p.options.QueueTimeout)
	return o
}
