package pooltest

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"syscall"
	"time"

	"github.com/wasmpool/wasmpool/abi"
	"github.com/wasmpool/wasmpool/pool"
	"github.com/wasmpool/wasmpool/subprocess"
)

// Worker is a worker in memory.
type Worker struct {
	launcher *Launcher
	sink     subprocess.Sink
	ctx      context.Context // ends when the worker is killed
	cancel   context.CancelCauseFunc
	pid      int
	launch   pool.Launch

	telling sync.Mutex // one reply at a time
	running sync.WaitGroup

	mu       sync.Mutex
	changed  sync.Cond
	assigned *pool.Assignment
	queue    []*Call // not begun, in order
	calls    map[uint64]*Call
	busy     int
	started  uint64
	served   int
	stop     int // the signal; 0: not asked
	patience *time.Timer
	memory   int64
	exit     subprocess.Exit
}

// Call is a call that a worker runs.
type Call struct {
	Worker   *Worker
	Seq      uint64 // 1, 2, 3 … for each worker
	ID       uint64
	Attempt  int
	Function string
	Args     json.RawMessage
	Meta     json.RawMessage
	TimeLeft time.Duration // when it was sent; negative: no deadline

	ctx    context.Context
	cancel context.CancelFunc
	begun  bool
}

func newWorker(l *Launcher, sink subprocess.Sink) *Worker {
	w := &Worker{launcher: l, sink: sink, calls: make(map[uint64]*Call)}
	w.changed.L = &w.mu
	w.ctx, w.cancel = context.WithCancelCause(context.Background())
	return w
}

// PID is a number that no other worker of the launcher has.
func (w *Worker) PID() int { return w.pid }

// Launch is what the worker was started with.
func (w *Worker) Launch() pool.Launch { return w.launch }

// Assignment is what the worker was told to serve; nil while it is blank.
func (w *Worker) Assignment() *pool.Assignment {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.assigned
}

// Has is how many calls the worker has that have not ended, begun or not.
func (w *Worker) Has() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.calls)
}

// Served is how many calls it has answered.
func (w *Worker) Served() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.served
}

// Alive says whether the worker has not ended.
func (w *Worker) Alive() bool { return w.ctx.Err() == nil }

// Done is closed when the worker ends, in whatever way.
func (w *Worker) Done() <-chan struct{} { return w.ctx.Done() }

// Crash ends the worker as if by itself, at once.
func (w *Worker) Crash() { w.CrashWith(subprocess.Exit{Code: -1, Signal: syscall.SIGKILL}) }

// CrashWith is Crash in the way that exit says; PID and Started are the worker's
// own.
func (w *Worker) CrashWith(exit subprocess.Exit) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ctx.Err() == nil {
		w.exit = exit
		w.cancel(errCrashed)
	}
}

// Log has the worker log a line.
func (w *Worker) Log(record subprocess.LogRecord) { w.sink.Log(record) }

// Host calls a host function for a call, as its guest would. A failure is a
// *[pool.WorkerError] with what the host function said.
func (c *Call) Host(name string, payload []byte) ([]byte, error) {
	r := c.Worker.sink.Host(c.ctx, subprocess.HostRequest{Seq: c.Seq, Name: name, Payload: payload})
	switch r.Status {
	case 0:
		return r.Payload, nil
	case abi.HostNotFound:
		return nil, &pool.WorkerError{Name: "HostFunctionNotFound", Message: "there is no host function " + name}
	case abi.HostCancelled:
		return nil, context.Canceled
	}
	e := abi.ParseError(r.Payload)
	return nil, &pool.WorkerError{Name: e.Name, Message: e.Message, Stack: e.Stack, Data: e.Data, Extra: e.Extra}
}

// Load takes the module to serve.
func (w *Worker) Load(ctx context.Context, a *pool.Assignment) error {
	w.mu.Lock()
	w.assigned = a
	w.mu.Unlock()
	if w.launcher.OnLoad != nil {
		merged, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(w.ctx, cancel)()
		if err := w.launcher.OnLoad(merged, w); err != nil && w.ctx.Err() == nil {
			return err
		}
	}
	if err := context.Cause(w.ctx); err != nil {
		return &subprocess.StartError{Name: a.Module, Err: err, Exit: w.death(0)}
	}
	return ctx.Err()
}

// Queue takes a call.
func (w *Worker) Queue(c *subprocess.Call) {
	call := &Call{
		Worker: w, Seq: c.Seq, ID: c.ID, Attempt: c.Attempt, Function: c.Function, TimeLeft: c.TimeLeft,
		Args: append(json.RawMessage(nil), c.Body.Bytes...), Meta: append(json.RawMessage(nil), c.Meta...),
	}
	call.ctx, call.cancel = context.WithCancel(w.ctx)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queue = append(w.queue, call)
	w.calls[c.Seq] = call
}

// Recall takes back a call that has not begun.
func (w *Worker) Recall(seq uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c := w.calls[seq]; c != nil && !c.begun {
		c.cancel()
		w.changed.Broadcast()
	}
}

// Cancel takes back a call that has not begun, and tells one that has.
func (w *Worker) Cancel(seq uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c := w.calls[seq]; c != nil {
		c.cancel()
		w.changed.Broadcast()
	}
}

// Flush lets the worker begin what was queued.
func (w *Worker) Flush() { w.changed.Broadcast() }

// Stop asks the worker to end.
func (w *Worker) Stop(signal int, patience time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stop != 0 {
		return
	}
	w.stop = signal
	w.patience = time.AfterFunc(patience, func() { w.Kill(errors.New("pooltest: it did not stop in time")) })
	w.changed.Broadcast()
}

// Kill ends the worker.
func (w *Worker) Kill(reason error) { w.cancel(reason) }

// MemoryBytes is what SetMemory said.
func (w *Worker) MemoryBytes() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.memory
}

// SetMemory says how much memory the worker has.
func (w *Worker) SetMemory(bytes int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.memory = bytes
}

// live begins calls until the worker ends, and tells of its end.
func (w *Worker) live() {
	wake := context.AfterFunc(w.ctx, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.changed.Broadcast()
	})
	w.mu.Lock()
	for w.ctx.Err() == nil {
		switch {
		case w.next():
		case w.stop != 0 && len(w.calls) == 0:
			signal := w.stop
			w.mu.Unlock()
			if w.launcher.OnStop != nil {
				w.launcher.OnStop(w.ctx, w, signal)
			}
			w.cancel(nil)
			w.mu.Lock()
		default:
			w.changed.Wait()
		}
	}
	if w.patience != nil {
		w.patience.Stop()
	}
	started := w.started
	w.mu.Unlock()
	wake()
	w.running.Wait() // what it was doing; its replies are not told any more
	w.sink.Exited(w.death(started))
}

// next begins the next call, or gives back one that is not wanted any more, and
// says whether there was one. The lock is held.
func (w *Worker) next() bool {
	for i, c := range w.queue {
		if c.ctx.Err() != nil {
			w.queue = append(w.queue[:i:i], w.queue[i+1:]...)
			w.reply(c, subprocess.Result{Code: abi.Withdrawn})
			return true
		}
	}
	if len(w.queue) == 0 || w.busy >= w.assigned.Concurrency {
		return false
	}
	c := w.queue[0]
	w.queue = w.queue[1:]
	c.begun = true
	w.started = c.Seq
	w.busy++
	w.running.Go(func() { w.run(c) })
	return true
}

// run runs a call. One that is cancelled, or lost with its worker, is not waited
// for.
func (w *Worker) run(c *Call) {
	result := subprocess.Result{Code: abi.Returned, Payload: []byte("null")}
	if w.launcher.OnCall != nil {
		v, err := w.launcher.OnCall(c.ctx, c)
		result = encode(v, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.busy--
	if w.ctx.Err() == nil {
		w.served++
		w.reply(c, result)
	}
	w.changed.Broadcast()
}

// reply ends a call. The lock is held, and released meanwhile: the pool may send
// more at once.
func (w *Worker) reply(c *Call, result subprocess.Result) {
	delete(w.calls, c.Seq)
	w.mu.Unlock()
	w.telling.Lock()
	w.sink.Replies([]subprocess.Reply{{Seq: c.Seq, Code: result.Code, Payload: result.Payload}})
	w.telling.Unlock()
	c.cancel()
	w.mu.Lock()
}

// Raw is a result that is not encoded: what a guest answers byte for byte.
type Raw []byte

func encode(v any, err error) subprocess.Result {
	var given *pool.WorkerError
	var limit *pool.LimitError
	switch {
	case errors.As(err, &given):
		b, _ := json.Marshal(&abi.Error{Name: given.Name, Message: given.Message, Stack: given.Stack, Data: given.Data, Extra: given.Extra})
		return subprocess.Result{Code: max(given.Code, abi.Failed), Payload: b}
	case errors.As(err, &limit):
		b, _ := json.Marshal(abi.Limit{Name: limit.Limit, Value: limit.Value, Unit: limit.Unit})
		return subprocess.Result{Code: abi.OverLimit, Payload: b}
	case err != nil:
		return subprocess.Result{Code: abi.Failed, Payload: []byte(err.Error())}
	}
	if raw, ok := v.(Raw); ok {
		return subprocess.Result{Code: abi.Returned, Payload: raw}
	}
	b, err := json.Marshal(v)
	if err != nil {
		return subprocess.Result{Code: abi.Broken, Payload: []byte(err.Error())}
	}
	return subprocess.Result{Code: abi.Returned, Payload: b}
}

// death is how the end of the worker looks from outside.
func (w *Worker) death(started uint64) subprocess.Exit {
	e := subprocess.Exit{}
	cause := context.Cause(w.ctx)
	switch {
	case errors.Is(cause, errCrashed):
		w.mu.Lock()
		e = w.exit
		w.mu.Unlock()
	case !errors.Is(cause, context.Canceled):
		e.Code, e.Signal, e.Reason = -1, syscall.SIGKILL, cause
	}
	e.PID, e.Started = w.pid, started
	return e
}
