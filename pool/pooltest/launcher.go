// Package pooltest puts workers in memory into a pool, in the place of child
// processes, so that what uses a pool can be tested without them.
//
// The workers keep the order of a real one: calls start as they were sent, as
// many at once as the module's concurrency allows, and one that ends takes with
// it what it had. Everything in them blocks on channels and conditions only, so
// that a pool with them runs in the fake time of package testing/synctest.
package pooltest

import (
	"context"
	"encoding/json"
	"errors"
	"sync"

	"github.com/wasmpool/wasmpool/pool"
	"github.com/wasmpool/wasmpool/subprocess"
)

// Launcher starts workers in memory: the value of a pool's Options.Launcher. Its
// exported fields are set before the pool is made. The zero value works: its
// functions return null.
//
// The functions are called on goroutines of the workers. The contexts that they
// are given end when the worker is killed.
type Launcher struct {
	// OnLaunch is called when a worker is started. An error fails the start.
	OnLaunch func(ctx context.Context, w *Worker) error

	// OnLoad is called when a worker is told which module to serve. An error
	// fails that; a *[pool.ModuleError] says that the module is at fault.
	OnLoad func(ctx context.Context, w *Worker) error

	// OnCall runs a call. What it returns is encoded as JSON, unless it is [Raw].
	// An error is a guest's: a *[pool.WorkerError] or a *[pool.LimitError] as it
	// is, another by its text. The context
	// also ends when the call is cancelled; what is returned then is not waited
	// for.
	OnCall func(ctx context.Context, c *Call) (any, error)

	// OnStop is called when a worker is asked to stop, after its last call. The
	// worker ends when it returns, or when the pool's patience ends.
	OnStop func(ctx context.Context, w *Worker, signal int)

	mu      sync.Mutex
	workers []*Worker
}

// Functions returns an OnCall for modules that have these functions.
func Functions(functions map[string]func(ctx context.Context, args []json.RawMessage) (any, error)) func(context.Context, *Call) (any, error) {
	return func(ctx context.Context, c *Call) (any, error) {
		f := functions[c.Function]
		if f == nil {
			return nil, &pool.WorkerError{Name: "FunctionNotFound", Message: "there is no function " + c.Function}
		}
		var args []json.RawMessage
		if err := json.Unmarshal(c.Args, &args); err != nil {
			return nil, err
		}
		return f(ctx, args)
	}
}

// Workers returns all workers that were ever launched, in that order.
func (l *Launcher) Workers() []*Worker {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]*Worker(nil), l.workers...)
}

// firstPID keeps the workers' numbers apart from their places.
const firstPID = 1000

// Launch starts a worker; pools call it.
func (l *Launcher) Launch(ctx context.Context, what pool.Launch, sink subprocess.Sink) (pool.Worker, error) {
	w := newWorker(l, sink)
	w.launch = what
	l.mu.Lock()
	w.pid = firstPID + len(l.workers)
	l.workers = append(l.workers, w)
	l.mu.Unlock()
	if l.OnLaunch != nil {
		if err := l.OnLaunch(ctx, w); err != nil {
			w.cancel(err)
			return nil, err
		}
	}
	if err := ctx.Err(); err != nil {
		w.cancel(err)
		return nil, err
	}
	go w.live() // ends with the worker
	return w, nil
}

// errCrashed is why a worker ended that a test let crash.
var errCrashed = errors.New("pooltest: crashed")
