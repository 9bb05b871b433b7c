package sched

// cancel ends a call for a caller who has given up. With a worker it is told to
// end, and has the grace to do so.
func (s *State) cancel(c *Call) {
	if c.state == callGone || c.abandoned {
		return
	}
	s.giveUp(c, Cancelled)
}

// callDue does what the timer of a call stands for.
func (s *State) callDue(c *Call) {
	switch {
	case c.abandoned: // the grace is over
		s.killFor(c)
	case c.state == callRunning:
		s.giveUp(c, TimedOut)
	case c.QueueTimeout > 0 && s.now >= c.Submitted+c.QueueTimeout:
		if c.state != callSent {
			s.giveUp(c, WaitedOut)
			return
		}
		// It may be starting at this moment: only its worker can tell.
		c.expiring = true
		if !c.leaving {
			s.withdraw(c)
		}
	case c.state == callDelayed:
		s.unlist(c)
		s.waited(c)
		s.again(c)
	}
}

// giveUp settles a call before its worker has answered.
func (s *State) giveUp(c *Call, o Outcome) {
	w := c.worker
	running, sent := c.state == callRunning, c.state == callSent
	if sent || running {
		if c.leaving {
			s.returned(c.Module) // it will not be placed again
		} else {
			c.leaving = true
			w.leaving++
		}
		s.act(Action{Kind: CancelCall, Worker: w, Call: c, Seq: c.Seq})
	}
	s.settle(c, o)
	if running {
		s.condemn(c)
	} else if sent {
		s.moved(w)
	}
}

// condemn gives a running call that nobody waits for its grace. Its worker may
// be about to be killed: whatever else it has is better off elsewhere.
func (s *State) condemn(c *Call) {
	w := c.worker
	if s.cfg.CancelGrace <= 0 {
		s.killFor(c)
		return
	}
	s.timers.arm(&c.timer, s.now+s.cfg.CancelGrace)
	c.condemns = true
	w.condemned++
	s.moved(w)
	s.scatter(w)
	s.recallAll(w)
	s.touch(w.Module)
}

// killFor ends the worker of a call that does not end by itself.
func (s *State) killFor(c *Call) {
	w := c.worker
	if w.killed {
		return
	}
	w.killedFor = c
	s.kill(w, c)
}
