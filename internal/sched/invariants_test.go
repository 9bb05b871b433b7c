package sched

import (
	"testing"
	"time"
)

// check holds the state to its promises after every step.
func (m *sim) check() {
	m.t.Helper()
	s := m.s
	var count, alive, spares, old, next, parked, open int
	for w := range s.workers {
		switch {
		case w.phase == Gone:
			m.fail("worker %d is gone, and known", w.ID)
		case w.next:
			next++
		case w.outgoing:
			old++
		case w.spare:
			spares++
		default:
			count++
			if w.phase != Draining && w.phase != Leaving {
				alive++
			}
		}
		sent, running := 0, 0
		for seq := w.first; seq <= w.last; seq++ {
			if c := w.at(seq); c != nil {
				sent++
				if c.worker != w {
					m.fail("call %d is with worker %d, and says otherwise", c.ID, w.ID)
				}
				if c.state == callRunning {
					running++
				}
				if !c.abandoned {
					open++
				}
			}
		}
		if sent != w.sentCount || running != w.running {
			m.fail("worker %d counts %d sent and %d running, and has %d and %d", w.ID, w.sentCount, w.running, sent, running)
		}
		open += w.queue.n
		m.checkNested(w)
		if w.phase == Serving && w.condemned == 0 && w.pickIndex >= 0 && w.running < w.Module.Concurrency && w.sentCount > w.running && w.run <= w.last {
			m.fail("worker %d has a free slot and calls that do not run", w.ID)
		}
	}
	if count != s.count || alive != s.alive || spares != s.spares {
		m.fail("counts are %d %d %d, and should be %d %d %d", s.count, s.alive, s.spares, count, alive, spares)
	}
	// A resize downwards, or a successor that was not to be, lets what is above
	// Max end in its own time; nothing is started meanwhile.
	if count > m.limitCount() || next > max(s.cfg.Max, m.limitCount()) {
		m.fail("%d workers and %d to come, with Max %d", count, next, s.cfg.Max)
	}
	if total := count + old + next; total > 2*m.limitCount() {
		m.fail("%d workers of all generations, with Max %d", total, s.cfg.Max)
	}
	for _, mod := range s.modules {
		parked += mod.waiting.n
		open += mod.waiting.n
		m.checkModule(mod)
	}
	open += s.delayed.n
	if parked != s.parked || open != s.calls || open != len(m.open) {
		m.fail("%d parked and %d open calls, counted as %d and %d; %d have no outcome", parked, open, s.parked, s.calls, len(m.open))
	}
	for i, t := range s.timers {
		if t.index != i+1 || i > 0 && s.timers[(i-1)/2].at > t.at {
			m.fail("timer %d is out of order", i)
		}
	}
	m.checkRecycle()
	if s.status == started && count < s.cfg.Min && s.roomy() && s.now >= s.start.until {
		m.fail("%d workers, the leaving included, with Min %d", count, s.cfg.Min)
	}
}

// checkNested has no nested call wait for another call of its worker to end.
func (m *sim) checkNested(w *Worker) {
	m.t.Helper()
	for seq := w.run; seq <= w.last; seq++ {
		if c := w.at(seq); c != nil && c.Nested && !c.abandoned {
			m.fail("nested call %d was sent to worker %d, and waits", c.ID, w.ID)
		}
	}
	place := w.sentCount
	for c := w.queue.head; c != nil; c = c.next {
		if c.Nested && (w.phase == Serving || place >= w.Module.Concurrency) {
			m.fail("nested call %d waits with worker %d in place %d, which is %v", c.ID, w.ID, place, w.phase)
		}
		place++
	}
}

// checkStarved has no module wait for a worker that it could have.
func (m *sim) checkStarved(mod *Module) {
	m.t.Helper()
	s := m.s
	if mod.claim != nil && (mod.claim.room != mod || mod.claim.phase == Gone) {
		m.fail("module %s waits for worker %d, which does not end for it", mod.Name, mod.claim.ID)
	}
	if !mod.starved() || s.aborted || s.now < mod.failure.until || mod.claim != nil && mod.claim.load() == 0 {
		return
	}
	if s.mayStart(mod) {
		m.fail("module %s has no worker, and might have one started", mod.Name)
	}
	if w := s.blank(false); w != nil && s.status == started {
		m.fail("module %s has no worker, and worker %d is blank", mod.Name, w.ID)
	}
	for w := s.idle.head; w != nil; w = w.idleNext {
		if w.Module != mod && !w.outgoing && !w.Module.moving() {
			m.fail("module %s has no worker, and worker %d of module %s is idle", mod.Name, w.ID, w.Module.Name)
		}
	}
}

// checkRecycle holds the next generation to its bound.
func (m *sim) checkRecycle() {
	m.t.Helper()
	m.young = m.young[:0]
	for w := range m.s.workers {
		if w.next && w.phase < Draining {
			m.young = append(m.young, w)
		}
	}
	if n := len(m.young) + len(m.s.pending); n > m.s.cfg.Max {
		m.fail("%d workers of the next generation, with Max %d", n, m.s.cfg.Max)
	}
}

// checkSwitch holds a generation that takes over to what served as it was begun.
func (m *sim) checkSwitch() {
	m.t.Helper()
	ready := map[*Module]int{}
	for _, w := range m.young {
		if c := m.children[w]; c != nil && !c.loading && !c.leaving {
			ready[w.Module]++
		}
	}
	before, after := 0, 0
	for _, mod := range m.modules {
		before += m.served[mod]
		after += min(m.served[mod], ready[mod])
	}
	if after < min(before, m.least) {
		m.fail("%v workers served as the recycle began, of Max %d, and %v after it", m.served, m.least, ready)
	}
}

// checkRest holds a state in which nothing goes on to its bounds.
func (m *sim) checkRest() {
	m.t.Helper()
	s := m.s
	if s.cycling || m.recycling {
		m.fail("nothing goes on, and the recycle is not over")
	}
	if n := s.total(); s.status == started && n > s.cfg.Max {
		m.fail("nothing goes on, and there are %d workers, with Max %d", n, s.cfg.Max)
	}
}

// limitCount is the most workers a generation has had a right to so far.
func (m *sim) limitCount() int { return max(m.s.cfg.Max, 6) }

func (m *sim) checkModule(mod *Module) {
	m.t.Helper()
	load, openCount, returning, surplus, nested := 0, 0, 0, 0, 0
	var idle *Worker
	for i, w := range mod.pick.items {
		if w.pickIndex != i || i > 0 && m.s.before(w, mod.pick.items[(i-1)/2]) {
			m.fail("worker %d is out of order", w.ID)
		}
		load += w.load()
		nested += w.queue.nested
		if w.tier() == tierIdle {
			openCount++
			idle = w
		}
		surplus = max(surplus, w.surplus())
	}
	for w := range m.s.workers {
		for seq := w.first; seq <= w.last; seq++ {
			if c := w.at(seq); c != nil && c.Module == mod && c.leaving && !c.abandoned {
				returning++
			}
		}
	}
	if load != mod.load || openCount != len(mod.open) || returning != mod.returning {
		m.fail("module %s counts load %d, open %d, returning %d, and has %d, %d, %d", mod.Name, mod.load, len(mod.open), mod.returning, load, openCount, returning)
	}
	if nested != mod.nested || mod.waiting.nested > 0 || nested > 0 && idle != nil && idle.free() {
		m.fail("%d nested calls of module %s wait with workers, counted as %d, and %d without", nested, mod.Name, mod.nested, mod.waiting.nested)
	}
	m.checkStarved(mod)
	if idle != nil && mod.waiting.n > 0 {
		m.fail("a call of module %s waits beside worker %d, which is idle", mod.Name, idle.ID)
	}
	if idle != nil && surplus > 0 && returning == 0 && mod.recall.index == 0 {
		for _, w := range mod.pick.items {
			m.t.Logf("worker %d: %v queue %d sent %d running %d leaving %d condemned %d surplus %d", w.ID, w.phase, w.queue.n, w.sentCount, w.running, w.leaving, w.condemned, w.surplus())
		}
		m.fail("%d calls of module %s wait with busy workers beside worker %d, which is idle", surplus, mod.Name, idle.ID)
	}
}

func FuzzRandomEventsKeepTheInvariants(f *testing.F) {
	for strategy := range byte(4) {
		for seed := range byte(4) {
			b := make([]byte, 400)
			for i := range b {
				b[i] = byte(i*i*7+i*int(seed+3)) ^ byte(i>>2)
			}
			f.Add(strategy, seed, b)
		}
	}
	f.Fuzz(func(t *testing.T, strategy, shape byte, events []byte) {
		cfg := Config{
			Strategy: Strategy(strategy % 4), Min: int(shape) % 3, Max: 3 + int(shape)%3, Spare: int(shape>>2) % 2, Full: 1 + int(shape>>3)%3,
			Seed: uint64(shape), QueueLimit: 50, QueueBytes: 1 << 30,
			IdleTimeout: time.Duration(shape%2) * time.Second, CancelGrace: time.Duration(shape%3) * 100 * time.Millisecond,
		}
		if shape&16 != 0 {
			cfg.MaxCalls = 3
		}
		if shape&32 != 0 {
			cfg.MaxAge = time.Second
		}
		m := newSim(t, cfg, uint64(strategy), uint64(shape))
		for i := 0; i+1 < len(events) && i < 2000; i += 2 {
			m.event(events[i], events[i+1])
		}
		m.end()
	})
}

func TestRandomSchedulesKeepTheInvariants(t *testing.T) {
	t.Parallel()
	rounds := 400
	if testing.Short() {
		rounds = 60
	}
	var covered coverage
	for seed := range rounds {
		cfg := Config{
			Strategy: Strategy(seed % 4), Min: seed % 3, Max: 3 + seed%3, Spare: seed % 2, Full: 1 + seed%3,
			Seed: uint64(seed), QueueLimit: 60, QueueBytes: 1 << 30,
			IdleTimeout: time.Second, CancelGrace: time.Duration(seed%4) * 50 * time.Millisecond,
			MaxCalls: seed % 5, MaxAge: time.Duration(seed%3) * time.Second,
		}
		m := newSim(t, cfg, uint64(seed), 1)
		for range 600 {
			m.event(byte(m.rand.IntN(256)), byte(m.rand.IntN(256)))
		}
		m.end()
		covered.recycled += m.covered.recycled
		covered.resizedMeanwhile += m.covered.resizedMeanwhile
	}
	t.Logf("%+v", covered)
	if covered.recycled < rounds/10 || covered.resizedMeanwhile < rounds/10 {
		t.Errorf("the events hardly played what they should: %+v in %d rounds", covered, rounds)
	}
}
