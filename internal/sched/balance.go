package sched

// balance lets no call of a module wait beside a worker that could run it:
// calls without a worker come first, then those waiting with busy workers or
// with workers that are not ready, then those that were sent ahead.
func (s *State) balance(m *Module) {
	s.balanceNested(m)
	for {
		w := m.pick.top()
		if w == nil || w.tier() == tierNever {
			return
		}
		if m.waiting.n > 0 {
			// Even a busy worker is better than none.
			c := m.waiting.head
			s.unlist(c)
			s.place(c)
			continue
		}
		if w.tier() != tierIdle {
			return
		}
		from := m.movers.top()
		if from == w || from.surplus() <= 0 {
			return
		}
		if c := from.queue.patient(); c != nil {
			s.unlist(c)
			s.assign(c, w)
			continue
		}
		s.recall(from, w)
		return
	}
}

// recall asks a worker that is stuck for half of what it was sent ahead, for the
// sake of an idle one. One such question at a time is under way in a module, so
// that calls do not wander.
func (s *State) recall(from, to *Worker) {
	m := from.Module
	if m.returning > 0 {
		return
	}
	if at := from.at(from.first).RunSince + stuck; s.now < at {
		s.timers.arm(&m.recall, at)
		return
	}
	n := min((from.load()-to.load()+1)/2, from.surplus())
	if s.cfg.Strategy == Fill {
		n = min(n, m.limit-to.load())
	}
	for seq := from.last; n > 0 && seq >= from.run; seq-- {
		if c := from.at(seq); c != nil && !c.leaving && !c.abandoned {
			s.withdraw(c)
			n--
		}
	}
	s.moved(from)
}

// withdraw asks for a call that was sent ahead and is to be placed again.
func (s *State) withdraw(c *Call) {
	c.leaving = true
	c.worker.leaving++
	c.Module.returning++
	s.act(Action{Kind: RecallCall, Worker: c.worker, Call: c, Seq: c.Seq})
}

// recallAll asks a worker for all that it has not begun.
func (s *State) recallAll(w *Worker) {
	for seq := w.run; seq <= w.last; seq++ {
		if c := w.at(seq); c != nil && !c.leaving && !c.abandoned {
			s.withdraw(c)
		}
	}
}
