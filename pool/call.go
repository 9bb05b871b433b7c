package pool

import (
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"unicode/utf8"

	"github.com/wasmpool/wasmpool/abi"
	"github.com/wasmpool/wasmpool/internal/sched"
	"github.com/wasmpool/wasmpool/subprocess"
)

// Call calls a function of a module with arguments that JSON can carry, and
// returns its result. The module is a name of Options.Modules or a path.
//
// It returns when the call has ended, or as soon as ctx has; then the guest is
// told, and killed if it does not end. The errors are those of the context, as
// they are, [ErrNotStarted], [ErrStopped], [ErrQueueFull], [ErrNested],
// *[WorkerError], *[LimitError], *[UnexpectedExitError], *[NotReadyError] and
// *[ModuleError]. But for *[UnexpectedExitError] they say that the function did
// not run, or that it ended.
func (p *Pool) Call(ctx context.Context, module, function string, args ...any) (json.RawMessage, error) {
	m, err := p.lookup(module)
	if err != nil {
		return nil, err
	}
	return p.callJSON(ctx, m, function, args, callOptions{})
}

// CallRaw is Call with bytes in and out, which a guest that speaks JSON expects
// to be an array. They are not looked at. The arguments are copied before it
// returns; the result is the caller's.
func (p *Pool) CallRaw(ctx context.Context, module, function string, args []byte) ([]byte, error) {
	m, err := p.lookup(module)
	if err != nil {
		return nil, err
	}
	body := subprocess.NewBody()
	body.Bytes = append(body.Bytes, args...)
	return p.invoke(ctx, m, function, body, callOptions{})
}

// Proxy returns a function that calls a function of a module. It may be made
// before the pool is started, and serves through stop, start and recycle. The
// module is looked up once.
func (p *Pool) Proxy(module, function string, options ...CallOption) func(ctx context.Context, args ...any) (json.RawMessage, error) {
	o := newCallOptions(options)
	find := p.once(module)
	return func(ctx context.Context, args ...any) (json.RawMessage, error) {
		m, err := find()
		if err != nil {
			return nil, err
		}
		return p.callJSON(ctx, m, function, args, o)
	}
}

// Func is [Pool.Proxy] with a result of a Go type, decoded from JSON.
func Func[T any](p *Pool, module, function string, options ...CallOption) func(ctx context.Context, args ...any) (T, error) {
	call := p.Proxy(module, function, options...)
	return func(ctx context.Context, args ...any) (result T, err error) {
		raw, err := call(ctx, args...)
		if err != nil {
			return result, err
		}
		if err := json.Unmarshal(raw, &result); err != nil {
			return result, fmt.Errorf("pool: call %q: the result does not fit %T: %w", function, result, err)
		}
		return result, nil
	}
}

// once returns a function that looks a module up until it is found.
func (p *Pool) once(name string) func() (*module, error) {
	var found atomic.Pointer[module]
	return func() (*module, error) {
		if m := found.Load(); m != nil {
			return m, nil
		}
		m, err := p.lookup(name)
		if err == nil {
			found.Store(m)
		}
		return m, err
	}
}

func (p *Pool) callJSON(ctx context.Context, m *module, function string, args []any, o callOptions) (json.RawMessage, error) {
	body := subprocess.NewBody()
	if err := appendJSON(body, args); err != nil {
		body.Release()
		return nil, fmt.Errorf("pool: call %q: an argument is not for JSON: %w", function, err)
	}
	result, err := p.invoke(ctx, m, function, body, o)
	if err != nil {
		return nil, err
	}
	if !utf8.Valid(result) || !json.Valid(result) { // the second takes any bytes within strings
		return nil, &WorkerError{
			Module: m.name, Function: function, Code: abi.Returned, Name: "InvalidResult",
			Message: fmt.Sprintf("the result is not JSON: %.40q; CallRaw takes any bytes", result),
		}
	}
	return result, nil
}

// bodyWriter lets an encoder append to a body.
type bodyWriter struct{ *subprocess.Body }

func (w bodyWriter) Write(b []byte) (int, error) {
	w.Bytes = append(w.Bytes, b...)
	return len(b), nil
}

func appendJSON(body *subprocess.Body, args []any) error {
	if len(args) == 0 {
		body.Bytes = append(body.Bytes, "[]"...)
		return nil
	}
	e := json.NewEncoder(bodyWriter{body})
	e.SetEscapeHTML(false)
	if err := e.Encode(args); err != nil {
		return err
	}
	body.Bytes = body.Bytes[:len(body.Bytes)-1] // the line feed that an encoder ends with
	return nil
}

// invoke runs a call and waits for its end. It releases the body.
func (p *Pool) invoke(ctx context.Context, m *module, function string, body *subprocess.Body, o callOptions) ([]byte, error) {
	defer body.Release()
	o = p.complete(ctx, o)
	if err := check(ctx, m, function, body, o); err != nil {
		return nil, err
	}
	c := p.newRecord(ctx, m, function, body, o)
	var fl flushes
	p.mu.Lock()
	p.ids++
	c.ID, c.wire.ID = p.ids, p.ids
	p.step(sched.Submit(&c.Call), &fl)
	p.mu.Unlock()
	if fl.lone {
		fl.send()
		p.attend(ctx, c, &fl)
	} else {
		fl.flush()
	}
	p.settled(ctx, c)
	return p.finish(ctx, m, function, c)
}

// settled blocks until a call is settled, which it is when its context ends. Waiting
// for one thing takes half as long as for the first of two.
func (p *Pool) settled(ctx context.Context, c *record) {
	ended := ctx.Done()
	if ended == nil {
		<-c.done
		return
	}
	select {
	case <-c.done: // as after attending to it
		return
	default:
	}
	select {
	case <-c.done:
	case <-ended:
		p.cancel(c)
		<-c.done
	}
}

// attend lets a lone caller read its own reply, where the worker can do that: it
// saves waking another goroutine. A call that is cancelled meanwhile makes it
// return; its context is watched only when the worker takes longer than a moment.
func (p *Pool) attend(ctx context.Context, c *record, fl *flushes) {
	w, ok := fl.workers[0].(attender)
	if !ok {
		return
	}
	if ctx.Done() == nil {
		w.Attend(fl.seq, nil)
		return
	}
	c.context = ctx
	w.Attend(fl.seq, c.watch)
	if c.unwatch != nil && !c.unwatch() {
		<-c.cancelled // it must not find another call in the record
	}
	c.context, c.unwatch = nil, nil
}

// check refuses what is not a call.
func check(ctx context.Context, m *module, function string, body *subprocess.Body, o callOptions) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if o.err != nil {
		return o.err
	}
	if !abi.Callable(function) {
		return &WorkerError{
			Module: m.name, Function: function, Code: abi.NotFound, Name: "FunctionNotFound",
			Message: fmt.Sprintf("%.300q cannot be the name of a worker function", function),
		}
	}
	if n := int64(len(body.Bytes)); n > m.settings.Limits.InputBytes {
		return &LimitError{Module: m.name, Function: function, Limit: "input", Value: m.settings.Limits.InputBytes, Unit: "bytes"}
	}
	return nil
}

// cancel gives a call up: it ends at once, if it has not ended before.
func (p *Pool) cancel(c *record) {
	var fl flushes
	p.mu.Lock()
	p.step(sched.Cancel(&c.Call), &fl)
	p.mu.Unlock()
	fl.flush()
}

// finish turns how a call ended into what its caller gets.
func (p *Pool) finish(ctx context.Context, m *module, function string, c *record) ([]byte, error) {
	payload := c.payload
	if c.outcome == sched.Answered && c.code == abi.Returned {
		p.retire(c)
		return payload, nil
	}
	err := p.explain(ctx, m, function, c)
	p.retire(c)
	return nil, err
}
