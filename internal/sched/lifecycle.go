package sched

// open starts a stopped pool.
func (s *State) open() {
	if s.status != stopped {
		return
	}
	s.status, s.aborted = starting, false
	s.coming = s.cfg.Min
	for i := range s.cfg.Min {
		s.launchFor(s.preload(i), servingRole)
	}
	if s.coming == 0 {
		s.opened()
	}
}

func (s *State) opened() {
	s.status = started
	s.act(Action{Kind: PoolStarted})
	s.shrink() // Max may be less by now
	s.restore()
}

// preload returns the module that the i-th of the first workers is for, or nil.
func (s *State) preload(i int) *Module {
	if len(s.cfg.Preload) == 0 {
		return nil
	}
	return s.cfg.Preload[i%len(s.cfg.Preload)]
}

// launchFor has a process started that its module, if any, may choose.
func (s *State) launchFor(m *Module, as role) {
	w := s.launch(m, as)
	if m != nil && as == servingRole {
		s.enter(w)
	}
}

// close lets the pool's calls end, and then its workers.
func (s *State) close() {
	s.recycleFailed(nil)
	if s.status == stopped {
		s.act(Action{Kind: PoolStopped})
		return
	}
	s.status = stopping
}

// abort ends all workers at once.
func (s *State) abort() {
	s.recycleFailed(nil)
	if s.status == stopped {
		s.act(Action{Kind: PoolStopped})
		return
	}
	s.status, s.aborted = stopping, true
	for _, w := range s.byID() {
		s.kill(w, nil)
	}
	for _, m := range s.modules {
		s.refuse(&m.waiting)
	}
	s.refuse(&s.delayed)
}

func (s *State) refuse(l *callList) {
	for c := l.head; c != nil; c = l.head {
		s.settle(c, PoolNotOpen)
	}
}

// finish ends the stopping of a pool: the workers when the calls have ended, the
// pool when the workers have.
func (s *State) finish() {
	if s.status != stopping || s.calls > 0 && !s.aborted {
		return
	}
	if len(s.workers) == 0 {
		s.status = stopped
		s.act(Action{Kind: PoolStopped})
		return
	}
	for _, w := range s.byID() {
		s.stop(w)
	}
}
