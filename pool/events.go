package pool

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/wasmpool/wasmpool/subprocess"
)

// Events are functions that are told what happens in a pool. A nil one is not
// told. They are called one after the other, in the order of what happened, on a
// goroutine of the pool; they should be quick, since what they do not take in
// time is dropped, and counted in Stats.EventsDropped. They must not call Start,
// Stop, Close or Recycle, which wait for them.
type Events struct {
	Start   func()      // the pool has started; New and Start return after it
	Recycle func()      // a new generation serves; Recycle returns after it
	Stop    func()      // the pool has stopped; Stop returns after it
	Error   func(error) // New failed, or something went wrong that no call was told
	Log     func(LogRecord)
	Compile func(CompileInfo) // a module is being compiled; called again when it is

	WorkerStarted func(WorkerInfo) // a process is being started
	WorkerReady   func(WorkerInfo) // it has loaded its module
	WorkerExited  func(WorkerExit)
}

// WorkerInfo says which worker an event is about.
type WorkerInfo struct {
	ID     int    // 1, 2, 3 … in the order of starting
	PID    int    // 0 until it is known
	Module string // empty while it is blank
}

// WorkerExit says how a worker ended.
type WorkerExit struct {
	WorkerInfo
	Served int             // calls it answered
	Exit   subprocess.Exit // zero when there was no process
	Err    error           // why it did not become ready; nil if it did
}

// LogRecord is one line that a worker logged. Message is untrusted text.
type LogRecord struct {
	WorkerInfo
	Source  string // "guest", "stdout", "stderr" or "worker"
	Level   slog.Level
	Message string
}

// eventBacklog is how many events may wait for the functions that are told of
// them. A guess: some seconds of a chatty pool.
const eventBacklog = 4096

// eventQueue hands events to one goroutine, in order.
type eventQueue struct {
	mu      sync.Mutex
	waiting []func()
	dropped uint64
	closed  bool
	wake    chan struct{} // holds one
	done    chan struct{} // closed when the last has been told
}

func newEventQueue() *eventQueue {
	q := &eventQueue{wake: make(chan struct{}, 1), done: make(chan struct{})}
	go q.deliver() // ends with close, which waits for it
	return q
}

// add appends an event; must is for those that are never dropped.
func (q *eventQueue) add(tell func(), must importance) {
	q.mu.Lock()
	if len(q.waiting) >= eventBacklog && must == mayDrop {
		q.dropped++
	} else {
		q.waiting = append(q.waiting, tell)
	}
	q.mu.Unlock()
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

type importance uint8

const (
	mayDrop importance = iota
	mustTell
)

func (q *eventQueue) deliver() {
	defer close(q.done)
	for range q.wake {
		q.mu.Lock()
		batch, closed := q.waiting, q.closed
		q.waiting = nil
		q.mu.Unlock()
		for _, tell := range batch {
			tell()
		}
		if closed {
			return
		}
	}
}

// lost is how many events were dropped.
func (q *eventQueue) lost() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.dropped
}

// drained waits until all that was added before has been told.
func (q *eventQueue) drained(ctx context.Context) {
	told := make(chan struct{})
	q.add(func() { close(told) }, mustTell)
	select {
	case <-told:
	case <-q.done: // the pool has been stopped meanwhile
	case <-ctx.Done():
	}
}

// close tells what is left, and waits for that.
func (q *eventQueue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	select {
	case q.wake <- struct{}{}:
	default:
	}
	<-q.done
}

// The functions below add events. The lock is held; while the pool is stopped
// there is nobody to be told.

func (p *Pool) workerEvent(w *worker, tell func(WorkerInfo)) {
	if tell != nil && p.run != nil {
		info := w.info()
		p.run.events.add(func() { tell(info) }, mayDrop)
	}
}

func (p *Pool) workerExitEvent(w *worker) {
	tell := p.options.Events.WorkerExited
	if tell == nil || p.run == nil {
		return
	}
	e := WorkerExit{WorkerInfo: w.info(), Served: w.sched.Served(), Exit: w.exit}
	if !w.ready {
		e.Err = w.startErr
	}
	p.run.events.add(func() { tell(e) }, mayDrop)
}

func (w *worker) info() WorkerInfo {
	i := WorkerInfo{ID: w.sched.ID, Module: w.moduleName()}
	if w.process != nil {
		i.PID = w.process.PID()
	}
	return i
}

// errorEvent tells of what no call was told. The lock is not held.
func (p *Pool) errorEvent(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.run == nil {
		return
	}
	p.run.events.add(func() {
		if tell := p.options.Events.Error; tell != nil {
			tell(err)
			return
		}
		p.options.Logger.Error(err.Error())
	}, mustTell)
}

// log tells of a line that a worker logged.
func (p *Pool) log(w *worker, r subprocess.LogRecord) {
	if p.run == nil {
		return
	}
	record := LogRecord{WorkerInfo: w.info(), Source: sourceName(r.Source), Level: slog.Level(r.Level), Message: r.Text}
	at := time.Now()
	p.run.events.add(func() {
		if tell := p.options.Events.Log; tell != nil {
			tell(record)
		}
		p.writeLog(at, record)
	}, mayDrop)
}

func sourceName(s subprocess.LogSource) string {
	switch s {
	case subprocess.LogGuest:
		return "guest"
	case subprocess.LogStdout:
		return "stdout"
	case subprocess.LogStderr:
		return "stderr"
	case subprocess.LogChild:
	}
	return "worker"
}

// writeLog passes a record to the logger, with nothing in it that a terminal
// would take for more than text.
func (p *Pool) writeLog(at time.Time, r LogRecord) {
	h := p.options.Logger.Handler()
	if !h.Enabled(context.Background(), r.Level) {
		return
	}
	record := slog.NewRecord(at, r.Level, printable(r.Message), 0)
	record.AddAttrs(slog.String("module", r.Module), slog.Int("worker", r.ID), slog.String("source", r.Source))
	_ = h.Handle(context.Background(), record) // a handler's troubles are its own
}
