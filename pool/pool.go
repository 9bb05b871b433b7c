package pool

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/wasmpool/wasmpool/internal/sched"
)

// Pool is a pool of worker processes. Make one with [New].
type Pool struct {
	// Set once, by New.
	options    Options
	launcher   Launcher
	cache      *cache
	epoch      time.Time
	processors int // that run this program's goroutines

	lifecycle chan struct{} // holds one while Start or Recycle is under way
	kick      chan struct{} // wakes the keeper of the timer

	mu          sync.Mutex
	sched       *sched.State
	settings    settings
	modules     map[string]*module // by name, or cleaned path
	workers     map[*worker]struct{}
	run         *run        // nil while stopped, and nothing is left of the last
	gen         *generation // that serves
	nextGen     *generation // that a recycle is starting
	ids         uint64
	status      status
	everStarted bool
	failed      *worker       // that made a start or a recycle fail
	recycled    recycleResult // of the recycle under way
	changed     chan struct{} // closed, and made anew, when run, status, failed or recycled changes
	wakeAt      time.Duration // when the keeper will wake; never if negative
	counters    counters
	sandbox     []Layer // as the first worker has it; nil before

	records sync.Pool // of calls that are over
}

// status is where the pool is in its life, for its callers.
type status uint8

const (
	stopped status = iota
	starting
	started
	stopping
)

type recycleResult uint8

const (
	noRecycle recycleResult = iota
	recycling
	recycleDone
	recycleFailed
)

// New makes a pool and, unless Options.Manual is set, starts it: it returns when
// Min processes are ready. On an error nothing is left running.
//
// An error names every option that is wrong.
func New(options Options) (*Pool, error) {
	p, err := open(options)
	if err != nil && options.Events.Error != nil {
		options.Events.Error(err)
	}
	return p, err
}

func open(options Options) (*Pool, error) {
	o := options.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	dir, err := absolute(o.Dir)
	if err != nil {
		return nil, err
	}
	p := &Pool{
		options: o, launcher: o.Launcher, epoch: time.Now(), processors: runtime.GOMAXPROCS(0),
		lifecycle: make(chan struct{}, 1), kick: make(chan struct{}, 1),
		modules: make(map[string]*module), workers: make(map[*worker]struct{}),
		settings: settings{dir: dir, args: o.Args, env: o.Env},
		changed:  make(chan struct{}), wakeAt: -1,
	}
	p.records.New = p.freshRecord
	if p.launcher == nil {
		if p.launcher, err = processLauncher(o); err != nil {
			return nil, err
		}
		if o.Sandbox == Off {
			o.Logger.Warn("wasmpool: the sandbox is OFF: a guest that breaks out of WebAssembly has all rights of this user")
		}
	}
	if p.cache, err = newCache(p, options.CacheDir != ""); err != nil {
		return nil, err
	}
	if err := p.setUp(); err != nil {
		return nil, err
	}
	if o.Manual {
		return p, nil
	}
	if err := p.Start(context.Background()); err != nil {
		return nil, err
	}
	return p, nil
}

// setUp makes the scheduler, which has to know the modules to be preloaded.
func (p *Pool) setUp() error {
	cfg := p.options.config()
	p.sched = sched.New(cfg)
	if len(p.options.Preload) == 0 {
		return nil
	}
	for _, name := range p.options.Preload {
		m, err := p.lookup(name)
		if err != nil {
			return err
		}
		p.sched.Preload(&m.Module)
	}
	return nil
}

// absolute settles what a directory means, once.
func absolute(dir string) (string, error) {
	wd := ""
	if dir == "" || dir[0] != '/' {
		var err error
		if wd, err = os.Getwd(); err != nil {
			return "", fmt.Errorf("pool: the working directory is not known: %w", err)
		}
	}
	return resolve(wd, dir), nil
}

// now is the time as the scheduler sees it.
func (p *Pool) now() time.Duration { return time.Since(p.epoch) }

// step plays an event and carries out what it calls for. The lock is held; what
// was queued for workers is to be flushed after it is released.
func (p *Pool) step(e sched.Event, fl *flushes) { p.stepAt(p.now(), e, fl) }

func (p *Pool) stepAt(now time.Duration, e sched.Event, fl *flushes) {
	actions := p.sched.Step(now, e)
	for i := range actions {
		p.do(&actions[i], now, fl)
	}
	if at, ok := p.sched.Next(); ok && (p.wakeAt < 0 || at < p.wakeAt) {
		p.wakeAt = at
		select {
		case p.kick <- struct{}{}:
		default: // it is awake already
		}
	}
}

// do carries out one action.
func (p *Pool) do(a *sched.Action, now time.Duration, fl *flushes) {
	switch a.Kind {
	case sched.SendCall:
		w, c := a.Worker.Owner.(*worker), a.Call.Owner.(*record)
		c.wire.Seq, c.wire.Attempt, c.wire.TimeLeft = a.Seq, a.Call.Attempt, -1
		if c.Timeout > 0 || !c.deadline.IsZero() {
			c.wire.TimeLeft = c.timeLeft(p.epoch.Add(now))
		}
		w.process.Queue(&c.wire)
		fl.add(w.process)
		fl.seq, fl.lone = a.Seq, fl.n == 1 && a.Worker.Load() == 1 && p.calm()
	case sched.RecallCall:
		w := a.Worker.Owner.(*worker)
		w.process.Recall(a.Seq)
		fl.add(w.process)
	case sched.CancelCall:
		w := a.Worker.Owner.(*worker)
		w.process.Cancel(a.Seq)
		fl.add(w.process)
	case sched.SettleCall:
		p.settle(a, now)
	case sched.StartWorker:
		p.startWorker(a.Worker)
	case sched.LoadModule:
		a.Worker.Owner.(*worker).adopt(p.gen, a.Worker.Module.Owner.(*module))
	case sched.StopWorker:
		a.Worker.Owner.(*worker).stop()
	case sched.KillWorker:
		p.killWorker(a)
	default:
		p.turn(a)
	}
}

// calm reports whether so few calls are under way that each may keep a processor
// of this process to itself while it waits, and leave as many to the workers. With
// more, 64 callers on two processors were slower by a half.
func (p *Pool) calm() bool {
	waiting, running := p.sched.Calls()
	return waiting+running <= max(1, p.processors/2)
}

// settle tells a caller that its call has ended.
func (p *Pool) settle(a *sched.Action, now time.Duration) {
	c := a.Call.Owner.(*record)
	c.outcome, c.held = a.Outcome, a.Call.Held()
	if a.Worker != nil {
		c.worker, _ = a.Worker.Owner.(*worker)
	}
	p.counters.settled(a.Call, a.Outcome, c.code, now)
	c.done <- struct{}{}
}

// killWorker ends a worker now, and says why.
func (p *Pool) killWorker(a *sched.Action) {
	w := a.Worker.Owner.(*worker)
	reason := errPoolStops
	if a.Call != nil {
		reason = errDidNotEnd
	}
	w.kill(reason)
}

// turn notes a turn in the pool's life, and wakes those who wait for it.
func (p *Pool) turn(a *sched.Action) {
	switch a.Kind {
	case sched.PoolStarted:
		p.status, p.everStarted = started, true
	case sched.PoolStopped:
		p.status = stopped
	case sched.PoolStartFailed:
		p.failed = a.Worker.Owner.(*worker)
		p.status = stopping
	case sched.PoolRecycled:
		p.gen, p.nextGen, p.recycled = p.nextGen, nil, recycleDone
	case sched.PoolRecycleFailed:
		p.nextGen, p.recycled, p.failed = nil, recycleFailed, nil
		if a.Worker != nil {
			p.failed = a.Worker.Owner.(*worker)
		}
	default:
		panic(fmt.Sprintf("bug: pool: unknown action %v", a.Kind))
	}
	p.announce()
}
