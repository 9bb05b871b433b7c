package sched

// A nested call is made on behalf of a call that runs, and may be the one that
// it waits for. Behind a running call it could wait for ever, whatever the
// strategy: it runs at once, or as soon as a worker has started, or not at all.

// placeNested finds a worker for a nested call that waits: one with a free slot,
// or a new one.
func (s *State) placeNested(c *Call) {
	w := s.freest(c.Module)
	if w == nil {
		w = s.startFor(c.Module)
	}
	if w == nil {
		s.settle(c, Nested)
		return
	}
	s.assign(c, w)
}

// freest returns the worker with a free slot that comes first in the strategy's
// order, one that serves if there is any; or nil.
func (s *State) freest(m *Module) *Worker {
	var first *Worker
	for _, w := range m.pick.items {
		if !w.free() {
			continue
		}
		serves := w.phase == Serving
		if first == nil || serves && first.phase != Serving || serves == (first.phase == Serving) && s.before(w, first) {
			first = w
		}
	}
	return first
}

// balanceNested gives nested calls that wait for a worker to start to those that
// serve and have got a free slot meanwhile.
func (s *State) balanceNested(m *Module) {
	for m.nested > 0 {
		w := s.freest(m)
		if w == nil || w.phase != Serving {
			return
		}
		c := m.oldestNested()
		s.unlist(c)
		s.assign(c, w)
	}
}

// oldestNested returns the oldest of the nested calls that wait with workers, or
// nil.
func (m *Module) oldestNested() *Call {
	var oldest *Call
	for _, w := range m.pick.items {
		if c := w.queue.head; c != nil && c.Nested && (oldest == nil || c.ID < oldest.ID) {
			oldest = c
		}
	}
	return oldest
}
