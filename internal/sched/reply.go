package sched

// reply ends the call that a worker answered.
func (s *State) reply(w *Worker, seq uint64) {
	c := s.takeBack(w, seq)
	if c == nil {
		return
	}
	w.served++
	if !c.abandoned {
		if c.state == callSent { // a slot was free before its time: believe the worker
			s.waited(c)
			c.RunSince = s.now
		}
		c.state = callGone
		s.settle(c, Answered)
	}
	s.answered(w)
	if w.maxCalls > 0 && w.served >= w.maxCalls {
		s.replace(w)
	}
}

// withdrawn takes back a call that a worker had not started.
func (s *State) withdrawn(w *Worker, seq uint64) {
	c := s.takeBack(w, seq)
	if c == nil {
		return
	}
	wasRunning := c.state == callRunning
	switch {
	case c.abandoned:
		c.state = callGone
	case c.expiring:
		if !wasRunning {
			s.waited(c)
		}
		c.state = callGone
		s.settle(c, WaitedOut)
	default:
		if wasRunning {
			s.timers.disarm(&c.timer)
		} else {
			s.waited(c)
		}
		s.again(c)
	}
	s.answered(w)
}

// takeBack removes a call from those with a worker.
func (s *State) takeBack(w *Worker, seq uint64) *Call {
	c := w.take(seq)
	if c == nil {
		return nil
	}
	if c.state == callRunning {
		w.running--
	}
	if c.abandoned {
		s.timers.disarm(&c.timer)
	}
	s.unleave(c)
	if w.killedFor == c {
		w.killedFor = nil
	}
	c.worker = nil
	return c
}

// unleave forgets that a call was to leave its worker.
func (s *State) unleave(c *Call) {
	if c.leaving {
		c.leaving = false
		c.worker.leaving--
		if !c.abandoned {
			s.returned(c.Module)
		}
	}
	if c.condemns {
		c.condemns = false
		c.worker.condemned--
		s.touch(c.Module)
	}
}

// returned takes note that a call that was asked for came back, or will not: the
// next question may be asked.
func (s *State) returned(m *Module) {
	if m.returning--; m.returning == 0 {
		s.touch(m)
	}
}

// answered goes on with a worker that has a call less.
func (s *State) answered(w *Worker) {
	s.runNext(w)
	if w.phase == Draining {
		if w.load() == 0 {
			s.stop(w)
		}
		return
	}
	s.send(w)
	s.moved(w)
	if w.pickIndex >= 0 && w.tier() == tierIdle {
		s.touch(w.Module)
	}
}

// again lets a call wait anew, in its old place in the line.
func (s *State) again(c *Call) {
	c.RunSince = never
	s.wait(c)
	if c.QueueTimeout > 0 && c.timer.index == 0 {
		s.timers.arm(&c.timer, max(s.now, c.Submitted+c.QueueTimeout))
	}
	s.requeue(c)
}

// requeue finds another worker for a call that waits.
func (s *State) requeue(c *Call) {
	c.worker = nil
	if s.aborted {
		s.settle(c, PoolNotOpen)
		return
	}
	s.place(c)
}
