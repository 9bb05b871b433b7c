package sched

import "time"

// never is the RunSince of a call that has not begun to run.
const never time.Duration = -1

// submit takes a new call in, or refuses it.
func (s *State) submit(c *Call) {
	c.Attempt, c.Submitted, c.RunSince = 1, s.now, never
	c.timer.call = c
	s.calls++
	s.wait(c)
	if s.status != started {
		s.settle(c, PoolNotOpen)
		return
	}
	w := s.choose(c.Module)
	mustWait := !c.Nested && (w == nil || w.tier() == tierBusy) && !s.mayStart(c.Module)
	if mustWait && (s.waiting > s.cfg.QueueLimit || s.waitingBytes > s.cfg.QueueBytes) {
		s.settle(c, QueueFull)
		return
	}
	if c.QueueTimeout > 0 {
		s.timers.arm(&c.timer, s.now+c.QueueTimeout)
	}
	s.place(c)
}

// wait counts a call among those that wait.
func (s *State) wait(c *Call) {
	c.state = callWaiting
	s.waiting++
	s.waitingBytes += c.Bytes
}

func (s *State) waited(c *Call) {
	s.waiting--
	s.waitingBytes -= c.Bytes
}

// place finds a worker for a waiting call: one that is not busy, a new one, or
// else the busy one that the strategy prefers. With none of them the call waits
// with its module.
func (s *State) place(c *Call) {
	if c.Nested {
		s.placeNested(c)
		return
	}
	m := c.Module
	w := s.choose(m)
	if w == nil || w.tier() == tierBusy {
		if n := s.startFor(m); n != nil {
			w = n
		}
	}
	if w == nil {
		c.worker = nil
		m.waiting.insertByAge(c)
		s.parked++
		s.touch(m)
		return
	}
	s.assign(c, w)
}

// assign gives a waiting call to a worker.
func (s *State) assign(c *Call, w *Worker) {
	c.worker = w
	s.turns++
	w.turn = s.turns
	w.queue.insertByAge(c)
	s.send(w)
	s.moved(w)
	if w.load() > w.Module.limit {
		s.touch(w.Module)
	}
}

// send sends what waits with a worker, up to its window.
func (s *State) send(w *Worker) {
	if w.phase != Serving || w.condemned > 0 {
		return
	}
	window := max(w.Module.limit, w.Module.Concurrency+pipeline)
	for c := w.queue.head; c != nil; c = w.queue.head {
		ahead := w.sentCount >= w.Module.Concurrency
		if w.sentCount >= window || ahead && w.sentBytes+c.Bytes > pipelineBytes {
			return
		}
		w.queue.remove(c) // its worker's load stays the same
		c.state = callSent
		w.put(c)
		s.act(Action{Kind: SendCall, Worker: w, Call: c, Seq: c.Seq})
		s.runNext(w)
	}
}

// runNext marks as running what a worker begins now that slots are free.
func (s *State) runNext(w *Worker) {
	for w.running < w.Module.Concurrency && w.run <= w.last {
		c := w.at(w.run)
		w.run++
		if c == nil {
			continue
		}
		w.running++
		c.state = callRunning
		if c.abandoned {
			// It was told to leave; should it run all the same, it has the grace.
			s.timers.arm(&c.timer, s.now+s.cfg.CancelGrace)
			continue
		}
		s.waited(c)
		c.RunSince = s.now
		s.timers.disarm(&c.timer)
		if c.Timeout > 0 {
			s.timers.arm(&c.timer, s.now+c.Timeout)
		}
	}
}

// unlist takes a call out of the line it waits in.
func (s *State) unlist(c *Call) {
	switch l := c.list; l {
	case nil:
	case &c.Module.waiting:
		l.remove(c)
		s.parked--
	default:
		l.remove(c)
		if c.worker != nil {
			s.moved(c.worker)
		}
	}
}

// settle ends a call for its caller.
func (s *State) settle(c *Call, o Outcome) {
	switch c.state {
	case callWaiting, callDelayed, callSent:
		s.waited(c)
	case callNew, callRunning, callGone:
	}
	inLine := c.state == callWaiting && c.list != &c.Module.waiting
	s.unlist(c)
	if inLine && c.worker != nil { // those behind it may go on
		s.send(c.worker)
		s.touch(c.Module)
	}
	s.timers.disarm(&c.timer)
	if c.state == callSent || c.state == callRunning {
		c.abandoned = true
	} else {
		c.state = callGone
	}
	s.calls--
	s.act(Action{Kind: SettleCall, Worker: c.worker, Call: c, Outcome: o})
}
