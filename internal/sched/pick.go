package sched

// before is the order of a module's workers by which a call chooses: the first
// one is the choice.
func (s *State) before(a, b *Worker) bool {
	if ta, tb := a.tier(), b.tier(); ta != tb {
		return ta < tb
	}
	switch s.cfg.Strategy {
	case RoundRobin:
		// In turn is: the one whose turn was longest ago.
		if a.turn != b.turn {
			return a.turn < b.turn
		}
	case Fill:
		if a.open() {
			return a.ID < b.ID
		}
		if la, lb := a.load(), b.load(); la != lb {
			return la < lb
		}
	case Fewest, Random:
		if la, lb := a.load(), b.load(); la != lb {
			return la < lb
		}
	}
	return a.ID < b.ID
}

// choose returns the worker that the strategy gives the next call of a module,
// among those of the best tier there is; nil when there is none to be used.
func (s *State) choose(m *Module) *Worker {
	w := m.pick.top()
	if w == nil || w.tier() == tierNever {
		return nil
	}
	if s.cfg.Strategy != Random {
		return w
	}
	if n := len(m.open); n > 0 {
		return m.open[s.rand.IntN(n)]
	}
	// Uniformly among those of the tier: by lot, until one of it is drawn. Only
	// while workers start, or are about to be killed, is one drawn in vain.
	for {
		other := m.pick.items[s.rand.IntN(len(m.pick.items))]
		if other.tier() == w.tier() {
			return other
		}
	}
}

// enter adds a worker to those its module chooses from.
func (s *State) enter(w *Worker) {
	m := w.Module
	m.pick.add(w)
	m.movers.add(w)
	m.workers++
	s.moved(w)
}

// leave takes a worker out of those its module chooses from.
func (s *State) leave(w *Worker) {
	if w.pickIndex < 0 {
		return
	}
	m := w.Module
	m.pick.remove(w)
	m.movers.remove(w)
	m.workers--
	m.load -= w.counted
	m.nested -= w.nested
	w.counted, w.nested = 0, 0
	s.setOpen(w, false)
	s.setIdle(w, false)
	s.touch(m)
}

// moved is called after whatever changes a worker's place in the order.
func (s *State) moved(w *Worker) {
	if w.pickIndex < 0 {
		return
	}
	m := w.Module
	m.load += w.load() - w.counted
	m.nested += w.queue.nested - w.nested
	w.counted, w.nested = w.load(), w.queue.nested
	m.pick.fix(w)
	m.movers.fix(w)
	idle := w.tier() == tierIdle
	s.setOpen(w, idle)
	s.setIdle(w, idle && w.load() == 0)
}

func (s *State) setOpen(w *Worker, open bool) {
	if open == (w.openIndex >= 0) {
		return
	}
	m := w.Module
	if open {
		w.openIndex = len(m.open)
		m.open = append(m.open, w)
		return
	}
	last := m.open[len(m.open)-1]
	m.open[w.openIndex], last.openIndex = last, w.openIndex
	m.open = m.open[:len(m.open)-1]
	w.openIndex = -1
}
