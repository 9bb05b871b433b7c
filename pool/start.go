package pool

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wasmpool/wasmpool/internal/sched"
	"github.com/wasmpool/wasmpool/subprocess"
)

// Why the pool ends processes.
var (
	errPoolStops = errors.New("the pool stopped")
	errRetired   = errors.New("it was not needed any more")
	errNotInTime = errors.New("it was not ready within StartTimeout")
)

// worker is a worker from the order to start it until it is gone, and the sink
// of its process.
type worker struct {
	pool      *Pool
	run       *run
	sched     *sched.Worker
	startedAt time.Time
	ctx       context.Context // of its start
	cancel    context.CancelFunc

	// Guarded by Pool.mu.
	gen       *generation
	module    *module // nil while it is blank
	process   Worker  // nil until it is up
	ready     bool
	asked     bool  // to end
	ended     error // why it must end, though its start is under way
	startErr  error // why it did not become ready
	exit      subprocess.Exit
	memory    int64 // resident, as last read
	maxMemory int64 // MaxMemoryBytes, varied
	logs      logQuota

	// What the watch has seen last.
	servedBefore int
	usedBefore   time.Duration

	results [][]byte // the reader's
}

// startWorker begins the start of a worker. The lock is held.
func (p *Pool) startWorker(s *sched.Worker) {
	w := &worker{pool: p, run: p.run, sched: s, gen: p.gen, startedAt: time.Now()}
	if s.Next() {
		w.gen = p.nextGen
	}
	if s.Module != nil {
		w.module = s.Module.Owner.(*module)
	}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	s.Owner = w
	p.workers[w] = struct{}{}
	p.workerEvent(w, p.options.Events.WorkerStarted)
	gen, m := w.gen, w.module
	w.run.background.Go(func() { w.start(gen, m) })
}

// start brings a worker up, and reads its module meanwhile if it has one.
func (w *worker) start(gen *generation, m *module) {
	launch, err := w.launch(gen, m)
	if err != nil {
		w.neverCame(err)
		return
	}
	var assigned <-chan assigned
	if m != nil {
		assigned = w.assign(gen, m)
	}
	ctx, cancel := context.WithTimeoutCause(w.ctx, w.pool.options.StartTimeout, errNotInTime)
	defer cancel()
	process, err := w.pool.launcher.Launch(ctx, launch, w)
	if err != nil {
		w.neverCame(because(ctx, err))
		return
	}
	wall := states(process)
	w.pool.mu.Lock()
	w.process = process
	w.pool.tellSandbox(wall)
	ended := w.ended
	w.pool.mu.Unlock()
	switch {
	case ended != nil:
		process.Kill(ended)
	case m != nil:
		w.load(process, m, assigned)
	default:
		w.isReady()
	}
}

type assigned struct {
	assignment *Assignment
	err        error
}

// assign prepares a module in the background.
func (w *worker) assign(gen *generation, m *module) <-chan assigned {
	done := make(chan assigned, 1)
	w.run.background.Go(func() {
		a, err := w.pool.assignment(w.ctx, gen, m)
		done <- assigned{a, err}
	})
	return done
}

// adopt has a blank worker load a module. The lock is held.
func (w *worker) adopt(gen *generation, m *module) {
	w.gen, w.module, w.ready = gen, m, false
	process := w.process
	w.run.background.Go(func() { w.load(process, m, w.assign(gen, m)) })
}

// load has a worker that is up load its module.
func (w *worker) load(process Worker, m *module, assigned <-chan assigned) {
	a := <-assigned
	err := a.err
	if err == nil {
		patience := w.pool.options.StartTimeout
		if _, compiles := w.pool.launcher.(compiler); compiles && a.assignment.Code == "" {
			patience += a.assignment.Limits.CompileTime
		}
		ctx, cancel := context.WithTimeoutCause(w.ctx, patience, errNotInTime)
		defer cancel()
		err = because(ctx, process.Load(ctx, a.assignment))
	}
	if err == nil {
		w.isReady()
		return
	}
	w.pool.mu.Lock()
	if w.startErr == nil {
		w.startErr = notReady(m.name, err)
	}
	w.pool.mu.Unlock()
	process.Kill(err) // Exited follows, or has come
}

// because gives the cause of an error that comes from the end of a context.
func because(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return context.Cause(ctx)
	}
	return err
}

// isReady tells the scheduler that a worker did what it was told.
func (w *worker) isReady() {
	p := w.pool
	var fl flushes
	p.mu.Lock()
	w.ready = true
	if w.module != nil {
		p.workerEvent(w, p.options.Events.WorkerReady)
	}
	p.step(sched.Ready(w.sched), &fl)
	p.mu.Unlock()
	fl.flush()
}

// neverCame ends a worker that there was no process of.
func (w *worker) neverCame(err error) {
	p := w.pool
	var fl flushes
	p.mu.Lock()
	if w.startErr == nil {
		w.startErr = notReady(w.moduleName(), err)
	}
	p.gone(w, &fl)
	p.mu.Unlock()
	fl.flush()
}

// Exited takes note that the process is gone.
func (w *worker) Exited(exit subprocess.Exit) {
	p := w.pool
	var fl flushes
	p.mu.Lock()
	w.exit = exit
	if w.startErr == nil && (w.module == nil || !w.ready) {
		w.startErr = &NotReadyError{Module: w.moduleName(), Err: errors.New(exit.String()), Exit: exit}
	}
	p.gone(w, &fl)
	p.mu.Unlock()
	fl.flush()
}

// gone removes a worker. The lock is held.
func (p *Pool) gone(w *worker, fl *flushes) {
	w.cancel()
	delete(p.workers, w)
	if w.ready && !w.asked {
		p.counters.WorkersLost++
	}
	p.workerExitEvent(w)
	p.step(sched.Exited(w.sched, w.exit.Started), fl)
}

// notReady turns what went wrong at a start into an error for callers.
func notReady(module string, err error) error {
	var refusal *subprocess.Refusal
	var fault *ModuleError
	var start *subprocess.StartError
	switch {
	case errors.As(err, &fault):
		return fault
	case errors.As(err, &refusal):
		return &ModuleError{Module: module, Fault: refusal.Fault, Message: refusal.Message, Err: refusal}
	case errors.As(err, &start):
		err = start
		if errors.Is(start, subprocess.ErrNoHello) {
			err = fmt.Errorf("%w: if that is this program, whose packages want their environment, files or network "+
				"when they are initialized, set Options.Runner", start)
		}
		return &NotReadyError{Module: module, Err: err, Exit: start.Exit}
	}
	return &NotReadyError{Module: module, Err: err}
}

// stop asks a worker to end; one that is not serving yet just ends. The lock is
// held.
func (w *worker) stop() {
	o := &w.pool.options
	w.asked = true
	if w.process == nil || !w.ready || o.StopTimeout < 0 || o.StopSignal == signalKill {
		w.kill(errRetired)
		return
	}
	w.process.Stop(o.StopSignal, o.StopTimeout)
}

// kill ends a worker now. The lock is held.
func (w *worker) kill(reason error) {
	w.asked, w.ended = true, reason
	w.cancel()
	if w.process != nil {
		w.process.Kill(reason)
	}
}

func (w *worker) moduleName() string {
	if w.module == nil {
		return ""
	}
	return w.module.name
}
