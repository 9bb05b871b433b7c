package sched

import "slices"

// launch has a process started: for a module, or blank.
func (s *State) launch(m *Module, as role) *Worker {
	s.nextID++
	w := &Worker{
		ID: s.nextID, Module: m, spare: as == spareRole, next: as == nextRole,
		first: 1, run: 1, openIndex: -1, pickIndex: -1, moverIndex: -1,
	}
	w.age.work = w
	s.workers[w] = struct{}{}
	s.tally(w, +1)
	if m == nil && !w.next {
		s.blanks = append(s.blanks, w)
	}
	s.act(Action{Kind: StartWorker, Worker: w})
	return w
}

// role is what a new process is for.
type role uint8

const (
	servingRole role = iota // one of this generation
	nextRole                // one of the generation that is to come
	spareRole               // a blank one in reserve
)

// tally adds a worker to the counts, or takes it out.
func (s *State) tally(w *Worker, by int) {
	switch {
	case w.phase == Gone || w.next || w.outgoing:
	case w.spare:
		s.spares += by
	default:
		s.count += by
		if w.phase != Leaving && w.phase != Draining {
			s.alive += by
		}
	}
}

// recount makes a change that the counts depend on.
func (s *State) recount(w *Worker, change func()) {
	s.tally(w, -1)
	change()
	s.tally(w, +1)
}

// ready goes on with a worker that did what it was told.
func (s *State) ready(w *Worker) {
	switch w.phase {
	case Starting:
		s.start.count = 0
		if w.adopted {
			s.setPhase(w, Loading)
			s.act(Action{Kind: LoadModule, Worker: w})
			return
		}
	case Loading:
	default: // it is being stopped already
		return
	}
	if w.Module == nil {
		s.setPhase(w, Blank)
	} else {
		s.serve(w)
	}
	switch {
	case w.next:
		if s.coming--; s.coming == 0 && !s.failing {
			s.switchOver()
		}
	case s.status == starting && !w.spare:
		if s.coming--; s.coming == 0 {
			s.opened()
		}
	}
}

// serve begins the useful part of a worker's life.
func (s *State) serve(w *Worker) {
	m := w.Module
	s.setPhase(w, Serving)
	m.failure.count, m.failure.until = 0, 0
	s.timers.disarm(&m.failure.timer)
	w.readyAt = s.now
	w.maxCalls = jittered(s, s.cfg.MaxCalls)
	s.armAge(w)
	s.send(w)
	s.moved(w)
	s.touch(m)
	if old := w.replaces; old != nil && old.phase == Serving {
		s.drain(old)
	}
}

// adopt gives a blank worker a module.
func (s *State) adopt(w *Worker, m *Module) {
	s.unblank(w)
	s.recount(w, func() { w.spare = false })
	w.Module = m
	if w.phase == Starting {
		w.adopted = true
		return
	}
	s.setPhase(w, Loading)
	s.act(Action{Kind: LoadModule, Worker: w})
}

func (s *State) unblank(w *Worker) {
	if i := slices.Index(s.blanks, w); i >= 0 {
		s.blanks = slices.Delete(s.blanks, i, i+1)
	}
}

// drain lets a worker end what it runs, and then end.
func (s *State) drain(w *Worker) {
	if w.phase != Serving {
		s.stop(w)
		return
	}
	s.depart(w, Draining)
	s.scatter(w)
	s.recallAll(w)
	if w.load() == 0 {
		s.stop(w)
	}
}

// stop asks a worker to end.
func (s *State) stop(w *Worker) {
	if w.phase == Leaving || w.phase == Gone {
		return
	}
	s.depart(w, Leaving)
	s.act(Action{Kind: StopWorker, Worker: w})
	s.scatter(w)
}

// kill ends a worker. What it was sent is settled or placed again when it is
// gone.
func (s *State) kill(w *Worker, c *Call) {
	if w.killed || w.phase == Gone {
		return
	}
	w.killed = true
	if w.phase != Leaving {
		s.depart(w, Leaving)
	}
	s.act(Action{Kind: KillWorker, Worker: w, Call: c})
	s.scatter(w)
}

// depart takes a worker out of all that choose from the living.
func (s *State) depart(w *Worker, to Phase) {
	s.leave(w)
	s.unblank(w)
	s.timers.disarm(&w.age)
	s.recount(w, func() { s.setPhase(w, to) })
}

// scatter places again what waits with a worker that is not to have it.
func (s *State) scatter(w *Worker) {
	for c := w.queue.head; c != nil; c = w.queue.head {
		s.unlist(c)
		s.requeue(c)
	}
}

// byID returns all workers that are not gone, in order.
func (s *State) byID() []*Worker {
	all := make([]*Worker, 0, len(s.workers))
	for w := range s.workers {
		all = append(all, w)
	}
	slices.SortFunc(all, func(a, b *Worker) int { return a.ID - b.ID })
	return all
}
