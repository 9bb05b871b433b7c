package sched

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// status is where the pool is in its life.
//
//	stopped ──Start──▶ starting ──(Min ready)──▶ started ──Stop──▶ stopping ──(all gone)──▶ stopped
//	                      └───────────Stop, Abort, a start that fails──▶┘
type status uint8

const (
	stopped status = iota
	starting
	started
	stopping
)

// State is the whole of a pool's knowledge. Its zero value is not ready for
// use; it is not safe for concurrent use.
type State struct {
	cfg     Config
	status  status
	aborted bool // every worker is being killed
	rand    *rand.Rand

	now     time.Duration
	actions []Action
	timers  timers

	modules []*Module
	dirty   []*Module // to be looked at before the step ends
	parked  int       // calls waiting with modules
	delayed callList  // calls between two attempts

	workers map[*Worker]struct{} // all that are not gone
	blanks  []*Worker            // blank or coming up blank, of this generation; spares too
	idle    idleList
	count   int // this generation's, that Max bounds
	alive   int // of those, not leaving: what Min bounds
	spares  int
	nextID  int
	turns   uint64

	start   failure   // of processes that came up for no module
	coming  int       // workers whose becoming ready ends the start or the recycle
	cycling bool      // a recycle is under way
	failing bool      // and is being given up
	because *Worker   // why
	pending []*Module // workers of the next generation that are still to be started

	calls        int // not settled
	waiting      int // not settled, and not running
	waitingBytes int64
}

// New returns a stopped state.
func New(cfg Config) *State {
	return &State{
		cfg:     cfg,
		rand:    rand.New(rand.NewPCG(cfg.Seed, 0)),
		workers: make(map[*Worker]struct{}),
	}
}

// AddModule makes a module known. It may be called at any time.
func (s *State) AddModule(m *Module) {
	m.limit = m.Concurrency
	if s.cfg.Strategy == Fill {
		m.limit = s.cfg.Full
	}
	m.pick = workerHeap{less: s.before, index: func(w *Worker) *int { return &w.pickIndex }}
	m.movers = workerHeap{
		less:  func(a, b *Worker) bool { return a.surplus() > b.surplus() },
		index: func(w *Worker) *int { return &w.moverIndex },
	}
	m.failure.timer.mod, m.recall.mod, m.linger.mod = m, m, m
	s.modules = append(s.modules, m)
}

// Step takes the time, which must not go back, and an event, and returns what
// is to be done, in that order. The slice is valid until the next Step.
func (s *State) Step(now time.Duration, e Event) []Action {
	clear(s.actions)
	s.actions = s.actions[:0]
	s.now = max(s.now, now)
	switch e.kind {
	case evSubmit:
		s.submit(e.call)
	case evReply:
		s.reply(e.worker, e.seq)
	case evWithdrawn:
		s.withdrawn(e.worker, e.seq)
	case evCancel:
		s.cancel(e.call)
	case evReady:
		s.ready(e.worker)
	case evExited:
		s.exited(e.worker, e.seq)
	case evOvergrown:
		s.retire(e.worker)
	case evStart:
		s.open()
	case evStop:
		s.close()
	case evAbort:
		s.abort()
	case evRecycle:
		s.recycle()
	case evRecycleAbort:
		s.recycleFailed(nil)
	case evResize:
		s.resize(e.min, e.max)
	case evTick:
	}
	s.expire()
	s.settleDirty()
	s.relieve(e)
	s.finish()
	return s.actions
}

// Next is when the state wants a [Tick] if nothing else happens before.
func (s *State) Next() (at time.Duration, ok bool) {
	if len(s.timers) > 0 {
		at, ok = s.timers[0].at, true
	}
	if w := s.idle.head; w != nil && s.cfg.IdleTimeout > 0 && s.alive > s.cfg.Min && s.status == started {
		if t := w.idleSince + s.cfg.IdleTimeout; !ok || t < at {
			at, ok = t, true
		}
	}
	return at, ok
}

func (s *State) act(a Action) { s.actions = append(s.actions, a) }

// setPhase is the only place where a worker's phase changes.
func (s *State) setPhase(w *Worker, to Phase) {
	legal := false
	switch w.phase {
	case Starting:
		legal = to == Blank || to == Serving || to == Loading
	case Blank:
		legal = to == Loading
	case Loading:
		legal = to == Serving
	case Serving:
		legal = to == Draining
	case Draining, Leaving:
	case Gone:
		panic(fmt.Sprintf("bug: sched: worker %d goes from gone to %v", w.ID, to))
	}
	if to == Leaving || to == Gone {
		legal = w.phase != to
	}
	if !legal {
		panic(fmt.Sprintf("bug: sched: worker %d goes from %v to %v", w.ID, w.phase, to))
	}
	w.phase = to
}

// expire does what is due.
func (s *State) expire() {
	for t := s.timers.due(s.now); t != nil; t = s.timers.due(s.now) {
		switch {
		case t.call != nil:
			s.callDue(t.call)
		case t.work != nil:
			s.retire(t.work)
		case t.mod != nil:
			s.touch(t.mod)
		default:
			s.restore()
		}
	}
	for s.cfg.IdleTimeout > 0 && s.status == started && s.alive > s.cfg.Min {
		w := s.idle.head
		if w == nil || w.idleSince+s.cfg.IdleTimeout > s.now {
			return
		}
		s.stop(w)
	}
}

// touch has a module looked at before the step ends.
func (s *State) touch(m *Module) {
	if !m.dirty {
		m.dirty = true
		s.dirty = append(s.dirty, m)
	}
}

func (s *State) settleDirty() {
	for i := 0; i < len(s.dirty); i++ { // it may grow meanwhile
		m := s.dirty[i]
		m.dirty = false
		s.balance(m)
		s.scale(m)
		s.dirty[i] = nil
	}
	s.dirty = s.dirty[:0]
}

// Preload adds a known module to those that the first Min workers are started
// for, in turn. It takes effect with the next [Start] or [Recycle].
func (s *State) Preload(m *Module) { s.cfg.Preload = append(s.cfg.Preload, m) }

// Processes is how many processes there are, and how many spare ones beside
// them.
func (s *State) Processes() (count, spare int) { return s.total(), s.spares }

// Calls is how many calls wait, and how many run.
func (s *State) Calls() (waiting, running int) { return s.waiting, s.calls - s.waiting }
