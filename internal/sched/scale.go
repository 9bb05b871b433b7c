package sched

import "time"

// failure counts starts that failed in a row.
type failure struct {
	count int
	until time.Duration // no start before
	timer timer
}

// mayStart says whether a call of a module may have a worker started.
func (s *State) mayStart(m *Module) bool {
	if s.status != started && s.status != stopping || s.aborted || s.now < m.failure.until {
		return false
	}
	return s.roomy() || s.adoptable(m) != nil
}

// adoptable returns the blank worker that a module may have without a free
// place; nil if there is none.
func (s *State) adoptable(m *Module) *Worker {
	if m.Apart {
		return nil
	}
	return s.blank(false)
}

// roomy says whether one more process is within the bounds: Max for those that
// serve, and twice as many with those that are being replaced.
func (s *State) roomy() bool { return s.count < s.cfg.Max && s.total() < 2*s.cfg.Max }

// startFor starts another worker for a module, if that is allowed: a blank one
// where there is one.
func (s *State) startFor(m *Module) *Worker {
	if !s.mayStart(m) {
		return nil
	}
	w := s.adoptable(m)
	if w == nil && !m.Apart {
		w = s.blank(true)
	}
	if w != nil {
		s.adopt(w, m)
		s.restore()
	} else {
		w = s.launch(m, servingRole)
	}
	s.enter(w)
	return w
}

// blank returns the blank worker that is furthest in its start, among the spare
// ones or the others; nil if there is none.
func (s *State) blank(spare bool) *Worker {
	var first *Worker
	for _, w := range s.blanks {
		if w.spare == spare && (first == nil || first.phase != Blank && w.phase == Blank) {
			first = w
		}
	}
	return first
}

// scale starts what the calls of a module need, or makes room for it.
func (s *State) scale(m *Module) {
	if s.status != started && s.status != stopping || s.now < m.failure.until {
		return
	}
	full := !s.roomy() && s.adoptable(m) == nil
	if full && (m.provided(nil) || s.idle.head == nil && !m.Apart) || m.excess() <= 0 {
		return
	}
	if !full {
		if s.startFor(m) != nil {
			s.touch(m)
		}
		return
	}
	if w := s.dispensable(m); w != nil {
		s.stake(m, w)
		s.stop(w)
	}
}

// dispensable returns the worker that ends to make room for a module: one that is
// of no use to it and of no use to another now; nil if there is none.
func (s *State) dispensable(m *Module) *Worker {
	if w := s.blank(false); w != nil {
		return w // it is of no use to this module, or there would be no need of room
	}
	if w := s.longestIdle(m); w != nil && s.yields(w, m) {
		return w
	}
	return nil
}

// yields says whether an idle worker may end for the sake of a module, and has
// the module looked at again when it may.
func (s *State) yields(w *Worker, m *Module) bool {
	until := w.idleSince + linger
	if m.starved() || until <= s.now {
		return true
	}
	if m.linger.index == 0 {
		s.timers.arm(&m.linger, until)
	}
	return false
}

// stake has a module wait for a worker to end, and for no other one any more.
func (s *State) stake(m *Module, w *Worker) {
	if m.claim != nil {
		m.claim.room = nil
	}
	m.claim, w.room = w, m
}

// neediest returns the module whose calls have waited longest for the place of a
// worker of another one, or for a free place if that is nil; nil if there is none.
func (s *State) neediest(giver *Worker) *Module {
	var neediest *Module
	var oldest *Call
	for _, m := range s.modules {
		if giver != nil && m == giver.Module || m.provided(giver) || m.excess() <= 0 || s.now < m.failure.until {
			continue
		}
		if giver != nil && giver.idle && !s.yields(giver, m) {
			continue
		}
		if c := m.oldestWaiting(); c != nil && (oldest == nil || c.ID < oldest.ID) {
			neediest, oldest = m, c
		}
	}
	return neediest
}

// grow gives free places to the modules whose calls have waited longest.
func (s *State) grow() {
	for s.waiting > 0 && s.roomy() {
		m := s.neediest(nil)
		if m == nil || s.startFor(m) == nil {
			break
		}
		s.touch(m)
	}
	if s.parked > 0 {
		for _, m := range s.modules {
			s.touch(m)
		}
	}
}

// relieve lets a worker that is idle, or just answered a call, make room for
// another module: when it is idle and has lingered, or when that module has no worker at all, its
// calls have waited longer than those of this one, and this one has had its
// turn. No module waits for ever.
func (s *State) relieve(e Event) {
	if s.waiting == 0 || s.roomy() || len(s.modules) < 2 {
		return
	}
	for w := s.idle.head; w != nil; {
		next := w.idleNext
		if !w.outgoing && !w.Module.moving() {
			if m := s.neediest(w); m != nil {
				s.makeRoom(w, m)
				next = s.idle.head // much may have changed
			}
		}
		w = next
	}
	w := e.worker
	if e.kind != evReply || w.phase != Serving || w.outgoing || w.condemned > 0 || w.load() == 0 {
		return
	}
	if m := s.neediest(w); m != nil && s.givesWay(w, m) {
		s.makeRoom(w, m)
	}
}

// makeRoom ends a worker for the sake of another module.
func (s *State) makeRoom(w *Worker, m *Module) {
	s.stake(m, w)
	s.drain(w)
	s.settleDirty()
}

// givesWay says whether a worker that has calls ends for a module that waits.
func (s *State) givesWay(w *Worker, m *Module) bool {
	if !m.starved() || s.now-w.readyAt < turn {
		return false
	}
	if c := w.oldestWaiting(); c != nil && c.ID < m.waiting.head.ID {
		return false
	}
	if w.Module.workers > 1 {
		return true
	}
	for _, other := range s.modules {
		if other.workers > 1 {
			return false // that one can spare a worker, and soon will
		}
	}
	return true
}

// restore starts blank workers until there are Min, and the spare ones.
func (s *State) restore() {
	if s.status != started || s.now < s.start.until {
		return
	}
	for s.alive < s.cfg.Min && s.roomy() {
		s.launch(nil, servingRole)
	}
	for s.spares < s.cfg.Spare {
		s.launch(nil, spareRole)
	}
}

// restoreWith starts a worker in the place of one that was lost at work, if Min
// asks for it.
func (s *State) restoreWith(m *Module) {
	if s.status == started && s.alive < s.cfg.Min && s.roomy() && s.now >= m.failure.until {
		s.enter(s.launch(m, servingRole))
	}
}

// resize changes the bounds.
func (s *State) resize(least, most int) {
	s.cfg.Min, s.cfg.Max = least, most
	s.trim()
	s.shrink()
	s.launchPending()
	for _, m := range s.modules {
		s.touch(m)
	}
	s.restore()
}

// shrink ends what is more than Max: blank workers first, then idle ones, then
// the newest.
func (s *State) shrink() {
	for s.status == started && s.alive > s.cfg.Max {
		w := s.blank(false)
		if w == nil {
			w = s.longestIdle(nil)
		}
		if w == nil {
			for _, other := range s.byID() {
				if !other.spare && !other.outgoing && !other.next && other.phase < Draining {
					w = other
				}
			}
		}
		s.drain(w)
	}
}
