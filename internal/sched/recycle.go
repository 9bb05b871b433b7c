package sched

// recycle starts the next generation: as many workers for each module as serve
// it now, and Min at least. One that is being replaced serves it too: its
// successor may be long in coming. The modules are dealt to in turn, so that
// none is left out should there be more than Max.
func (s *State) recycle() {
	if s.status != started || s.cycling {
		return
	}
	s.cycling, s.failing, s.coming = true, false, 0
	for round, dealt := 1, true; dealt; round++ {
		dealt = false
		for _, m := range s.modules {
			if m.serving() >= round && s.coming < s.cfg.Max {
				s.launchNext(m)
				dealt = true
			}
		}
	}
	for i := s.coming; i < s.cfg.Min; i++ {
		s.launchNext(s.preload(i))
	}
	if s.coming == 0 {
		s.switchOver()
	}
}

// launchNext has a worker of the next generation started, as soon as there are
// fewer than twice Max processes: an earlier generation may still be ending.
func (s *State) launchNext(m *Module) {
	s.coming++
	s.pending = append(s.pending, m)
	s.launchPending()
}

func (s *State) launchPending() {
	for len(s.pending) > 0 && s.total() < 2*s.cfg.Max {
		m := s.pending[0]
		s.pending = s.pending[1:]
		s.launch(m, nextRole)
	}
}

// total is the number of processes but for the spare ones.
func (s *State) total() int { return len(s.workers) - s.spares }

// switchOver makes the next generation the one that serves: calls that wait go
// to it, and the old one ends what it runs.
func (s *State) switchOver() {
	s.cycling = false
	s.act(Action{Kind: PoolRecycled}) // what is started from here on is of the new generation
	var old, young []*Worker
	for _, w := range s.byID() {
		switch {
		case w.next && w.phase < Draining: // those of a recycle that failed are leaving
			young = append(young, w)
			s.recount(w, func() { w.next = false })
		case !w.next && !w.spare:
			old = append(old, w)
			s.recount(w, func() { w.outgoing = true })
			s.leave(w) // all of them, before any of their calls is placed again
			s.unblank(w)
		}
	}
	for _, w := range young {
		if w.Module != nil {
			s.enter(w)
			s.armAge(w)
		} else {
			s.blanks = append(s.blanks, w)
		}
	}
	for _, w := range old {
		if w.phase < Draining {
			s.drain(w)
		}
	}
	s.shrink()
	s.restore()
	s.grow()
}

// trim gives up what the next generation has beyond Max, now that Max is less:
// first what is not started, then what is not ready, then the newest.
func (s *State) trim() {
	if !s.cycling || s.failing {
		return
	}
	var starting, ready []*Worker
	for _, w := range s.byID() {
		switch {
		case !w.next || w.phase >= Draining:
		case w.phase == Serving || w.phase == Blank:
			ready = append(ready, w)
		default:
			starting = append(starting, w)
		}
	}
	surplus := len(s.pending) + len(starting) + len(ready) - s.cfg.Max
	for ; surplus > 0 && len(s.pending) > 0; surplus-- {
		s.pending = s.pending[:len(s.pending)-1]
		s.coming--
	}
	for ; surplus > 0 && len(starting) > 0; surplus-- {
		s.stop(starting[len(starting)-1])
		starting = starting[:len(starting)-1]
		s.coming--
	}
	for ; surplus > 0; surplus-- {
		s.stop(ready[len(ready)-1])
		ready = ready[:len(ready)-1]
	}
	if s.coming == 0 {
		s.switchOver()
	}
}

// recycleFailed gives the next generation up, because of one of its workers or
// of nobody; the old one serves on. It is over when that generation is gone.
func (s *State) recycleFailed(because *Worker) {
	if !s.cycling || s.failing {
		return
	}
	s.failing, s.because = true, because
	s.pending = nil
	for _, w := range s.byID() {
		if w.next {
			s.kill(w, nil)
		}
	}
	s.recycleOver()
}

func (s *State) recycleOver() {
	if !s.failing {
		return
	}
	for w := range s.workers {
		if w.next {
			return
		}
	}
	s.cycling, s.failing = false, false
	s.act(Action{Kind: PoolRecycleFailed, Worker: s.because})
	s.because = nil
}
