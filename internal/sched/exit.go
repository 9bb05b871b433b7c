package sched

// exited takes note that a worker is gone. What surely did not start is placed
// again; of the rest nobody can know.
func (s *State) exited(w *Worker, started uint64) {
	if w.phase == Gone {
		return
	}
	was := w.phase
	s.depart(w, Gone)
	delete(s.workers, w)
	if w.room != nil {
		w.room.claim = nil
	}

	if old := w.replaces; old != nil && old.outgoing && old.phase == Serving {
		s.unreplaced(old)
	}
	for seq := w.first; seq <= w.last; seq++ {
		if c := w.take(seq); c != nil {
			s.lose(w, c, seq <= started)
		}
	}
	if was == Starting || was == Loading {
		s.neverReady(w)
	}
	s.scatter(w)
	if w.next && s.cycling && !s.failing && was != Leaving {
		s.launchNext(w.Module) // it was ready, and must be so again
	}
	s.launchPending()
	s.recycleOver()
	if was == Serving && w.served > 0 {
		s.restoreWith(w.Module)
	}
	s.grow() // before the blank ones: a place may have been made for a module that has no use for them
	s.restore()
}

// lose settles a call that was with a lost worker, or places it again.
func (s *State) lose(w *Worker, c *Call, mayHaveRun bool) {
	s.unleave(c)
	s.timers.disarm(&c.timer)
	if c.abandoned {
		c.state, c.worker = callGone, nil
		return
	}
	if c.state != callRunning {
		s.waited(c)
	}
	expired := c.expiring
	c.expiring, c.state = false, callGone
	switch {
	case !mayHaveRun && expired:
		s.settle(c, WaitedOut)
	case !mayHaveRun:
		s.again(c)
	case c.Retry && !s.aborted:
		s.retry(c)
	case w.killedFor != nil && w.killedFor != c:
		s.settle(c, LostNearby)
	default:
		s.settle(c, Lost)
	}
}

// retry lets a call run again that may have run. The second attempt is made at
// once; should that be lost too, a pause keeps a call that kills its workers
// from keeping the machine busy with it.
func (s *State) retry(c *Call) {
	c.Attempt++
	if c.Attempt <= 2 {
		s.again(c)
		return
	}
	c.worker, c.RunSince = nil, never
	s.wait(c)
	c.state = callDelayed
	s.delayed.pushBack(c)
	at := s.now + backoff(c.Attempt-2)
	if c.QueueTimeout > 0 {
		at = min(at, max(s.now, c.Submitted+c.QueueTimeout))
	}
	s.timers.arm(&c.timer, at)
}

// neverReady takes note that a worker was gone before it was of use.
func (s *State) neverReady(w *Worker) {
	if w.killed {
		return
	}
	m := w.Module
	f := &s.start
	if m != nil {
		f = &m.failure
	}
	f.count++
	f.until = s.now + backoff(f.count)
	s.timers.arm(&f.timer, f.until)
	switch {
	case w.next:
		s.recycleFailed(w)
	case s.status == starting:
		s.act(Action{Kind: PoolStartFailed, Worker: w})
		s.abort()
	}
	if m == nil || m.workers > 0 || w.next {
		return
	}
	// It was the last hope of its module's calls. They are told; the next one
	// tries again.
	for _, l := range []*callList{&w.queue, &m.waiting} {
		for c := l.head; c != nil; c = l.head {
			s.unlist(c)
			c.worker = w
			s.settle(c, NotStarted)
		}
	}
}
