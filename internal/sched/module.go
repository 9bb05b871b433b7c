package sched

// Module is a worker module, as the state sees it: the workers that serve it
// and the calls that wait for one. It lives as long as the state, over
// generations.
type Module struct {
	Name        string
	Concurrency int  // calls that one worker runs at once, at least 1
	Apart       bool // its workers are started for it: none that came up blank may serve it
	Owner       any

	limit   int      // calls that make a worker busy
	waiting callList // calls with no worker
	pick    workerHeap
	movers  workerHeap
	open    []*Worker // those of tierIdle, in no order

	workers   int     // in pick
	load      int     // calls they have
	nested    int     // nested calls in their queues
	returning int     // calls being withdrawn, to be placed again
	claim     *Worker // of another module, which is ending to make room; or nil
	dirty     bool

	failure failure // to start
	recall  timer   // when to look for a worker that is stuck
	linger  timer   // when to look for the place of an idle worker of another module
}

// starved says whether calls wait while no worker is there or to come.
func (m *Module) starved() bool { return m.waiting.n > 0 && m.workers == 0 }

// serving is how many workers serve the module, those that are being replaced
// included.
func (m *Module) serving() int {
	n := 0
	for _, w := range m.pick.items {
		if w.phase == Serving {
			n++
		}
	}
	return n
}

// provided says whether another worker need not end for the module because one is
// ending already. One that still has calls may take hours to: it does not count
// against a worker without any. A nil worker stands for a free place.
func (m *Module) provided(w *Worker) bool {
	return m.claim != nil && (m.claim.load() == 0 || w != nil && w.load() > 0)
}

// moving says whether calls are with busy workers that an idle one is to have.
func (m *Module) moving() bool {
	w := m.movers.top()
	return m.returning > 0 || w != nil && w.surplus() > 0
}

// oldestWaiting returns the oldest call of the module that is not running, or nil.
func (m *Module) oldestWaiting() *Call {
	oldest := m.waiting.head
	for _, w := range m.pick.items {
		if c := w.oldestWaiting(); c != nil && (oldest == nil || c.ID < oldest.ID) {
			oldest = c
		}
	}
	return oldest
}

// oldestWaiting returns the first call of the worker that is not running.
func (w *Worker) oldestWaiting() *Call {
	for seq := w.run; seq <= w.last; seq++ {
		if c := w.at(seq); c != nil {
			return c
		}
	}
	return w.queue.oldest()
}

// excess is how many calls wait that no worker, present or starting, would take
// at once. There are none while a worker is open: it will be given what is stuck
// with others, and a process that is started meanwhile would find nothing to do.
func (m *Module) excess() int {
	if len(m.open) > 0 {
		return 0
	}
	return m.waiting.n + m.load - m.workers*m.limit
}
