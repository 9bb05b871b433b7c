package sched

// idleList holds the workers without a call, the one that has been idle for
// longest first.
type idleList struct{ head, tail *Worker }

func (s *State) setIdle(w *Worker, idle bool) {
	if idle == w.idle {
		return
	}
	w.idle = idle
	l := &s.idle
	if idle {
		w.idleSince = s.now
		w.idlePrev = l.tail
		if l.tail == nil {
			l.head = w
		} else {
			l.tail.idleNext = w
		}
		l.tail = w
		return
	}
	if w.idlePrev == nil {
		l.head = w.idleNext
	} else {
		w.idlePrev.idleNext = w.idleNext
	}
	if w.idleNext == nil {
		l.tail = w.idlePrev
	} else {
		w.idleNext.idlePrev = w.idlePrev
	}
	w.idlePrev, w.idleNext = nil, nil
}

// longestIdle returns the worker of another module that has been idle for
// longest, would leave a place, and is not about to be given calls; or nil.
func (s *State) longestIdle(but *Module) *Worker {
	for w := s.idle.head; w != nil; w = w.idleNext {
		if w.Module != but && !w.outgoing && !w.Module.moving() {
			return w
		}
	}
	return nil
}
