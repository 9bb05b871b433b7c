package sched

// retire ends a worker that is too old or too large. One that nobody needs just
// ends: replaced for ever, it would never have been idle for long enough.
func (s *State) retire(w *Worker) {
	if w.next { // its age is looked at again after the switch
		return
	}
	if w.phase == Serving && !w.outgoing && s.status == started && w.load() == 0 && s.alive > s.cfg.Min {
		s.stop(w)
		return
	}
	s.replace(w)
}

// replace starts the successor of a worker that has served for long enough, so
// that no call has to wait for one; until it is ready the worker serves on.
func (s *State) replace(w *Worker) {
	if w.phase != Serving || w.outgoing || s.status != started {
		return
	}
	m := w.Module
	if s.now < m.failure.until || s.total() >= 2*s.cfg.Max {
		s.armAge(w)
		return
	}
	s.recount(w, func() { w.outgoing = true })
	n := s.launch(m, servingRole)
	n.replaces = w
	s.enter(n)
}

// unreplaced lets a worker serve on whose successor is gone and was never ready.
func (s *State) unreplaced(w *Worker) {
	s.recount(w, func() { w.outgoing = false })
	s.armAge(w)
	s.shrink()
}

// armAge has a worker replaced when it is old, and no sooner than its module
// may be started again; one that is old already is tried after a pause.
func (s *State) armAge(w *Worker) {
	if s.cfg.MaxAge > 0 {
		if w.maxAge == 0 {
			w.maxAge = jittered(s, s.cfg.MaxAge)
		}
		s.timers.arm(&w.age, max(w.readyAt+w.maxAge, w.Module.failure.until, s.now+backoffFirst))
	}
}

// jittered varies a bound, downwards, so that workers started together do not
// retire together.
func jittered[T ~int | ~int64](s *State, bound T) T {
	if bound <= 1 {
		return bound
	}
	return max(1, bound-T(float64(bound)*jitter*s.rand.Float64()))
}
