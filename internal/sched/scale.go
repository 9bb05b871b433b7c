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
