package sched

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
// the module looked at again when it may: when the one has been idle, or a call
// of the other has waited, for long enough.
func (s *State) yields(w *Worker, m *Module) bool {
	if m.starved() {
		return true
	}
	until := w.idleSince + linger
	if c := m.oldestWaiting(); c != nil {
		until = min(until, c.Submitted+linger)
	}
	if until <= s.now {
		return true
	}
	if m.linger.index == 0 || until < m.linger.at {
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

// relieve lets workers make room for modules whose calls wait. An idle one does
// when it has lingered, and at once for a module that has none. One that just
// answered a call and has more does it for a module that has none, whose calls
// have waited longer than its own, when it has had its turn. No module waits for
// ever.
func (s *State) relieve(e Event) {
	if s.waiting == 0 || s.roomy() || len(s.modules) < 2 {
		return
	}
	s.relieveIdle()
	w := e.worker
	if e.kind != evReply || w.phase != Serving || w.outgoing || w.condemned > 0 || w.load() == 0 {
		return
	}
	if m := s.neediest(w); m != nil && s.givesWay(w, m) {
		s.makeRoom(w, m)
		s.relieveIdle() // some may not be waiting for calls of this one any more
	}
}

// relieveIdle lets the idle workers make room that are not about to be given
// calls.
func (s *State) relieveIdle() {
	if s.idle.head == nil || s.neediest(nil) == nil {
		return // one that needs no free place needs none of an idle worker either
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
