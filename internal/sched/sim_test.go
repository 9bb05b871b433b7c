package sched

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// sim drives a state with children that do what children do, in an order that
// the random numbers decide, and holds the state to what it promises.
type sim struct {
	t    *testing.T
	s    *State
	rand *rand.Rand
	now  time.Duration

	modules  []*Module
	children map[*Worker]*child
	order    []*Worker
	calls    []*Call
	open     map[*Call]bool // submitted and not settled
	runs     map[*Call]int  // times it was begun
	log      []string

	stopped, recycling bool
	served             map[*Module]int // workers of each module as the recycle began
	least              int             // the least Max since
	young              []*Worker       // of the next generation, before this step
	covered            coverage
}

// coverage counts what the random events happened to play.
type coverage struct{ recycled, resizedMeanwhile int }

// child is a process: it begins what it is sent in order, and gives back what
// it is asked for and has not begun.
type child struct {
	loading bool // must answer Ready, or end
	leaving bool // must end
	inbox   []*sending
	last    uint64
	started uint64
	runsNow int
	module  *Module
}

type sending struct {
	call   *Call
	seq    uint64
	begun  bool
	recall bool
}

func newSim(t *testing.T, cfg Config, seed1, seed2 uint64) *sim {
	m := &sim{
		t: t, rand: rand.New(rand.NewPCG(seed1, seed2)),
		children: map[*Worker]*child{}, open: map[*Call]bool{}, runs: map[*Call]int{},
	}
	for i := range 3 {
		m.modules = append(m.modules, &Module{Name: string(rune('a' + i)), Concurrency: 1 + i, Apart: i == int(seed1/4)%5})
	}
	if cfg.Min > 1 {
		cfg.Preload = m.modules[:1]
	}
	m.s = New(cfg)
	for _, mod := range m.modules {
		m.s.AddModule(mod)
	}
	m.step("start", Start())
	return m
}

func (m *sim) fail(format string, args ...any) {
	m.t.Helper()
	for _, line := range m.log[max(0, len(m.log)-40):] {
		m.t.Log(line)
	}
	m.t.Fatalf(format, args...)
}

// step plays an event and carries the actions out.
func (m *sim) step(what string, e Event) {
	m.t.Helper()
	m.log = append(m.log, fmt.Sprintf("%v %s", m.now, what))
	for _, a := range m.s.Step(m.now, e) {
		line := "   > " + a.Kind.String()
		if a.Worker != nil {
			line += fmt.Sprintf(" w%d", a.Worker.ID)
		}
		if a.Call != nil {
			line += fmt.Sprintf(" call %d seq %d", a.Call.ID, a.Seq)
		}
		if a.Kind == SettleCall {
			line += " " + a.Outcome.String()
		}
		m.log = append(m.log, line)
		m.act(a)
	}
	m.check()
}

func (m *sim) act(a Action) {
	c := m.children[a.Worker]
	switch a.Kind {
	case StartWorker:
		m.children[a.Worker] = &child{loading: true}
		m.order = append(m.order, a.Worker)
	case LoadModule:
		if c.loading || c.leaving {
			m.fail("worker %d is told to load while it is loading or leaving", a.Worker.ID)
		}
		if a.Worker.Module.Apart {
			m.fail("worker %d came up blank, and is told to load module %s", a.Worker.ID, a.Worker.Module.Name)
		}
		c.loading = true
	case StopWorker, KillWorker:
		c.leaving = true
	case SendCall:
		if c.loading || c.leaving {
			m.fail("call %d is sent to worker %d, which is not ready", a.Call.ID, a.Worker.ID)
		}
		if c.last++; c.last != a.Seq {
			m.fail("call %d has number %d, not %d", a.Call.ID, a.Seq, c.last)
		}
		if c.module == nil {
			c.module = a.Worker.Module
		}
		if c.module != a.Call.Module {
			m.fail("worker %d of module %s is sent a call of %s", a.Worker.ID, c.module.Name, a.Call.Module.Name)
		}
		c.inbox = append(c.inbox, &sending{call: a.Call, seq: a.Seq})
	case RecallCall, CancelCall:
		for _, in := range c.inbox {
			if in != nil && in.seq == a.Seq {
				in.recall = true
			}
		}
	case SettleCall:
		if !m.open[a.Call] {
			m.fail("call %d is settled twice", a.Call.ID)
		}
		delete(m.open, a.Call)
		if a.Outcome == WaitedOut && m.runs[a.Call] > 0 && !a.Call.Retry {
			m.fail("call %d waited out, and ran", a.Call.ID)
		}
		if (a.Outcome == NotStarted || a.Outcome == QueueFull || a.Outcome == Nested) && m.runs[a.Call] > 0 && !a.Call.Retry {
			m.fail("call %d is said not to have started, and ran", a.Call.ID)
		}
	case PoolStopped:
		if len(m.children) > 0 {
			m.fail("stopped with %d children", len(m.children))
		}
		m.stopped = true
	case PoolStarted, PoolStartFailed:
	case PoolRecycled:
		m.covered.recycled++
		m.recycling = false
		m.checkSwitch()
	case PoolRecycleFailed:
		m.recycling = false
	}
}

// begin lets a child start what it can.
func (m *sim) begin(w *Worker) {
	c := m.children[w]
	for _, in := range c.inbox {
		if in == nil || in.begun {
			continue
		}
		if in.recall || w.Module == nil || c.runsNow >= w.Module.Concurrency {
			return
		}
		in.begun = true
		c.runsNow++
		c.started = in.seq
		m.runs[in.call]++
		if m.runs[in.call] > 1 && !in.call.Retry {
			m.fail("call %d is begun twice", in.call.ID)
		}
	}
}

// child plays one thing that a child may do now.
func (m *sim) child(w *Worker, kind int) {
	c := m.children[w]
	switch {
	case c.leaving && kind != 0 || kind == 1 && m.rand.IntN(8) == 0:
		started := c.started
		delete(m.children, w)
		m.order = deleteWorker(m.order, w)
		m.step(fmt.Sprintf("exit w%d started %d", w.ID, started), Exited(w, started))
	case c.loading:
		c.loading = false
		m.step(fmt.Sprintf("ready w%d", w.ID), Ready(w))
	case kind == 2 && m.rand.IntN(8) == 0:
		m.step(fmt.Sprintf("overgrown w%d", w.ID), Overgrown(w))
	default:
		m.begin(w)
		for i, in := range c.inbox {
			switch {
			case in == nil:
			case in.begun && m.rand.IntN(3) > 0:
				c.inbox = append(c.inbox[:i:i], c.inbox[i+1:]...)
				c.runsNow--
				m.step(fmt.Sprintf("reply w%d call %d", w.ID, in.call.ID), Reply(w, in.seq))
				return
			case in.recall && !in.begun:
				c.inbox = append(c.inbox[:i:i], c.inbox[i+1:]...)
				m.step(fmt.Sprintf("withdrawn w%d call %d", w.ID, in.call.ID), Withdrawn(w, in.seq))
				return
			}
		}
	}
}

func deleteWorker(ws []*Worker, w *Worker) []*Worker {
	for i, other := range ws {
		if other == w {
			return append(ws[:i:i], ws[i+1:]...)
		}
	}
	return ws
}

func (m *sim) submit() {
	c := &Call{
		ID: uint64(len(m.calls) + 1), Module: m.modules[m.rand.IntN(len(m.modules))],
		Bytes: int64(m.rand.IntN(300 << 10)), Retry: m.rand.IntN(3) == 0, Nested: m.rand.IntN(10) == 0,
	}
	if m.rand.IntN(4) == 0 {
		c.Timeout = time.Duration(1+m.rand.IntN(3000)) * time.Millisecond
	}
	if m.rand.IntN(4) == 0 {
		c.QueueTimeout = time.Duration(1+m.rand.IntN(3000)) * time.Millisecond
	}
	m.calls = append(m.calls, c)
	m.open[c] = true
	m.step(fmt.Sprintf("submit %d %s retry=%v", c.ID, c.Module.Name, c.Retry), Submit(c))
}

// event plays something, as two bytes say.
func (m *sim) event(what, which byte) {
	switch {
	case what < 100:
		m.submit()
	case what < 110 && len(m.calls) > 0:
		// Callers who have their outcome do not cancel.
		if c := m.calls[int(which)%len(m.calls)]; m.open[c] {
			m.step(fmt.Sprintf("cancel %d", c.ID), Cancel(c))
		}
	case what < 125:
		m.now += time.Duration(which) * 10 * time.Millisecond
		m.step("tick", Tick())
	case what < 127:
		m.recycle()
	case what < 128 && m.recycling:
		m.step("recycle abort", RecycleAbort())
	case what < 130:
		least := int(which) % 3
		m.resize(least, least+1+int(which)%4)
	case what == 130:
		m.step("stop", Stop())
	case what == 131 && which < 20:
		m.step("abort", Abort())
	case what == 132 && m.stopped:
		m.stopped = false
		m.step("start", Start())
	case len(m.order) > 0:
		m.child(m.order[int(which)%len(m.order)], int(what)%3)
	}
}

func (m *sim) recycle() {
	if m.s.status == started && !m.s.cycling {
		m.recycling, m.least = true, m.s.cfg.Max
		m.served = map[*Module]int{}
		for w := range m.s.workers {
			if w.phase == Serving && w.pickIndex >= 0 {
				m.served[w.Module]++
			}
		}
	}
	m.step("recycle", Recycle())
}

func (m *sim) resize(least, most int) {
	if m.s.cycling && most < m.s.cfg.Max {
		m.covered.resizedMeanwhile++
	}
	m.least = min(m.least, most)
	m.step(fmt.Sprintf("resize %d %d", least, most), Resize(least, most))
}

// rest has all children behave until none has anything to do; no time passes.
func (m *sim) rest() {
	for busy, round := true, 0; busy; round++ {
		if round > 10_000 {
			m.fail("the workers never come to rest")
		}
		busy = false
		for _, w := range append([]*Worker(nil), m.order...) {
			if c := m.children[w]; c != nil && (c.leaving || c.loading || len(c.inbox) > 0) {
				busy = true
				m.child(w, 3)
			}
		}
	}
}

// end has all children behave, until every call has its outcome and every
// worker is gone.
func (m *sim) end() {
	for round := 0; len(m.open) > 0; round++ {
		if round > 10_000 {
			for c := range m.open {
				m.t.Logf("call %d of %s: state %d worker %v", c.ID, c.Module.Name, c.state, c.worker)
			}
			for w := range m.s.workers {
				m.t.Logf("worker %d: %+v", w.ID, *w)
			}
			m.fail("%d calls are never settled; %d workers of %d", len(m.open), m.s.count, m.s.cfg.Max)
		}
		for _, w := range append([]*Worker(nil), m.order...) {
			if m.children[w] != nil {
				m.child(w, 3)
			}
		}
		if at, ok := m.s.Next(); ok && round%3 == 0 {
			m.now = max(m.now, at)
			m.step("tick", Tick())
		}
	}
	m.rest()
	m.checkRest()
	m.step("stop", Stop())
	for round := 0; len(m.order) > 0; round++ {
		if round > 10_000 {
			m.fail("%d workers are never stopped", len(m.order))
		}
		for _, w := range append([]*Worker(nil), m.order...) {
			if c := m.children[w]; c != nil && (c.leaving || c.loading || len(c.inbox) > 0) {
				m.child(w, 3)
			}
		}
		if at, ok := m.s.Next(); ok {
			m.now = max(m.now, at)
			m.step("tick", Tick())
		}
	}
	if !m.stopped {
		m.fail("all workers are gone, and the pool has not stopped")
	}
}
