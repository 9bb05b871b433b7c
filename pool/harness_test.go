package pool_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmpool/wasmpool/abi"
	"github.com/wasmpool/wasmpool/pool"
	"github.com/wasmpool/wasmpool/pool/pooltest"
)

// bubble runs a test in fake time. A goroutine that is left over fails it.
func bubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, test)
}

// pass lets fake time pass.
func pass(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // fake time
	synctest.Wait()
}

// bench is a pool of workers in memory, which run the functions below.
type bench struct {
	*pool.Pool
	t        *testing.T
	launcher *pooltest.Launcher
	gate     chan struct{} // closed: held calls end
}

// newBench makes a pool with the modules "a", "b" and "c", which is stopped at
// the end of the test.
func newBench(t *testing.T, o pool.Options) *bench {
	t.Helper()
	b := prepare(t, &o)
	p, err := pool.New(o)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	b.Pool = p
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		if err := p.Stop(ctx); err != nil {
			t.Errorf("Stop at the end of the test: %v", err)
		}
		b.wantAlive(0)
	})
	return b
}

// prepare completes options for workers in memory.
func prepare(t *testing.T, o *pool.Options) *bench {
	b := &bench{t: t, gate: make(chan struct{})}
	if o.Launcher == nil {
		o.Launcher = &pooltest.Launcher{}
	}
	b.launcher = o.Launcher.(*pooltest.Launcher)
	if b.launcher.OnCall == nil {
		b.launcher.OnCall = b.perform
	}
	if o.Modules == nil {
		o.Modules = named("a", "b", "c")
	}
	if o.Logger == nil {
		o.Logger = quiet
	}
	o.DisableCache = true
	return b
}

// named returns modules that are told apart by their names.
func named(names ...string) map[string]pool.Module {
	ms := make(map[string]pool.Module)
	for _, name := range names {
		ms[name] = pool.Module{Bytes: []byte(name)}
	}
	return ms
}

// perform is what the workers do.
func (b *bench) perform(ctx context.Context, c *pooltest.Call) (any, error) {
	switch c.Function {
	case "pid":
		return c.Worker.PID(), nil
	case "echo":
		return c.Args, nil
	case "env":
		return c.Worker.Assignment().Env, nil
	case "hold": // until the gate is open
		select {
		case <-b.gate:
			return c.Worker.PID(), nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	case "work": // for a time, or until it is cancelled
		select {
		case <-time.After(argument(c)):
			return c.Worker.PID(), nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	case "stubborn": // for a time, cancelled or not
		select {
		case <-time.After(argument(c)):
			return c.Worker.PID(), nil
		case <-c.Worker.Done():
			return nil, ctx.Err()
		}
	case "crash":
		c.Worker.Crash()
		return nil, nil
	}
	return nil, &pool.WorkerError{Code: abi.NotFound, Name: "FunctionNotFound", Message: "no function " + c.Function}
}

// argument is the first argument of a call, in nanoseconds.
func argument(c *pooltest.Call) time.Duration {
	var args []time.Duration
	if err := json.Unmarshal(c.Args, &args); err != nil || len(args) == 0 {
		panic(fmt.Sprintf("%s%s: want a duration", c.Function, c.Args))
	}
	return args[0]
}

// call is a call under way.
type call struct {
	t      *testing.T
	done   chan struct{}
	result json.RawMessage
	err    error
	took   time.Duration
}

// call begins a call of module "a".
func (b *bench) call(ctx context.Context, function string, args ...any) *call {
	return b.callOf(ctx, "a", function, args...)
}

func (b *bench) callOf(ctx context.Context, module, function string, args ...any) *call {
	c := &call{t: b.t, done: make(chan struct{})}
	begun := time.Now()
	go func() { // ends with the call
		defer close(c.done)
		c.result, c.err = b.Call(ctx, module, function, args...)
		c.took = time.Since(begun)
	}()
	return c
}

// calls begins as many calls at the same time, in no order.
func (b *bench) calls(n int, function string, args ...any) []*call {
	var cs []*call
	for range n {
		cs = append(cs, b.call(b.t.Context(), function, args...))
	}
	synctest.Wait()
	return cs
}

// inTurn begins as many calls in one instant, in this order.
func (b *bench) inTurn(n int, function string, args ...any) []*call {
	var cs []*call
	for range n {
		cs = append(cs, b.call(b.t.Context(), function, args...))
		synctest.Wait()
	}
	return cs
}

// over says whether a call has ended.
func (c *call) over() bool {
	synctest.Wait()
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// ok waits for a call that must succeed.
func (c *call) ok() json.RawMessage {
	c.t.Helper()
	<-c.done
	if c.err != nil {
		c.t.Errorf("a call failed: %v", c.err)
	}
	return c.result
}

// failed waits for a call that must not succeed.
func (c *call) failed() error {
	c.t.Helper()
	<-c.done
	if c.err == nil {
		c.t.Errorf("a call returned %s, want an error", c.result)
	}
	return c.err
}

// do makes a call that must succeed, and waits for it.
func (b *bench) do(function string, args ...any) json.RawMessage {
	b.t.Helper()
	return b.call(b.t.Context(), function, args...).ok()
}

// open lets all held calls go, now and later.
func (b *bench) open() { close(b.gate) }

// shares are how many calls the workers have got that have not ended, in the
// order of the workers' numbers.
func (b *bench) shares() []int {
	synctest.Wait()
	var n []int
	for _, s := range b.Stats().Workers {
		for _, w := range b.launcher.Workers() {
			if w.PID() == s.PID {
				n = append(n, w.Has())
			}
		}
	}
	return n
}

// order is the numbers of the workers that answer so many calls, made one after
// the other.
func (b *bench) order(calls int) []int {
	b.t.Helper()
	ids := map[int]int{}
	for _, s := range b.Stats().Workers {
		ids[s.PID] = s.ID
	}
	var order []int
	for range calls {
		var pid int
		if err := json.Unmarshal(b.do("pid"), &pid); err != nil {
			b.t.Error(err)
		}
		order = append(order, ids[pid])
	}
	return order
}

// alive returns the workers that have not ended.
func (b *bench) alive() []*pooltest.Worker {
	synctest.Wait()
	var ws []*pooltest.Worker
	for _, w := range b.launcher.Workers() {
		if w.Alive() {
			ws = append(ws, w)
		}
	}
	return ws
}

func (b *bench) wantAlive(n int) {
	b.t.Helper()
	if got := len(b.alive()); got != n {
		b.t.Errorf("%d workers are alive, want %d", got, n)
	}
}

func (b *bench) wantLaunched(n int) {
	b.t.Helper()
	synctest.Wait()
	if got := len(b.launcher.Workers()); got != n {
		b.t.Errorf("%d workers were launched, want %d", got, n)
	}
}

// want compares what is comparable.
func want[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

func wantIs(t *testing.T, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Errorf("error is %v, want %v", err, target)
	}
}

// as returns an error as one of its type, which it must have.
func as[E error](t *testing.T, err error) E {
	t.Helper()
	var e E
	if !errors.As(err, &e) {
		t.Fatalf("error is %T (%v), want %T", err, err, e)
	}
	return e
}

// took measures what it runs, in fake time.
func took(f func()) time.Duration {
	begun := time.Now()
	f()
	return time.Since(begun)
}

// slowly is a launcher whose workers take a time to come up.
func slowly(d time.Duration) *pooltest.Launcher {
	return &pooltest.Launcher{OnLaunch: func(ctx context.Context, _ *pooltest.Worker) error { return wait(ctx, d) }}
}

// oneByOne is a launcher whose workers come up in the order of their launch, a
// time after one another.
func oneByOne(d time.Duration) *pooltest.Launcher {
	return &pooltest.Launcher{OnLaunch: func(ctx context.Context, w *pooltest.Worker) error {
		return wait(ctx, time.Duration(w.PID()-999)*d)
	}}
}

// wait waits for a time, unless a context ends.
func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// diary keeps what events tell, in order.
type diary struct {
	mu    sync.Mutex
	lines []string
	times []time.Duration // from the diary's beginning
	begun time.Time
}

func newDiary() *diary { return &diary{begun: time.Now()} }

// wantEqual compares lists.
func wantEqual[T any](t *testing.T, what string, got, want []T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func (d *diary) note(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, fmt.Sprintf(format, args...))
	d.times = append(d.times, time.Since(d.begun))
}

// all are the lines so far.
func (d *diary) all() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string(nil), d.lines...)
}

// at is when a line was first noted.
func (d *diary) at(t *testing.T, line string) time.Duration {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, l := range d.lines {
		if l == line {
			return d.times[i]
		}
	}
	t.Errorf("%q was never noted, only %q", line, d.lines)
	return 0
}

// events are those that note everything.
func (d *diary) events() pool.Events {
	return pool.Events{
		Start:   func() { d.note("start") },
		Recycle: func() { d.note("recycle") },
		Stop:    func() { d.note("stop") },
		Error:   func(err error) { d.note("error: %v", err) },
		Log:     func(r pool.LogRecord) { d.note("log %d %s: %s", r.ID, r.Source, r.Message) },
		WorkerStarted: func(w pool.WorkerInfo) {
			d.note("started %d", w.ID)
		},
		WorkerReady:  func(w pool.WorkerInfo) { d.note("ready %d %s", w.ID, w.Module) },
		WorkerExited: func(w pool.WorkerExit) { d.note("exited %d", w.ID) },
	}
}

// quiet is a logger that says nothing.
var quiet = slog.New(slog.DiscardHandler)
