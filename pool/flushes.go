package pool

// flushes are the workers that something was queued for, to be flushed without
// the lock.
type flushes struct {
	workers [4]Worker
	n       int
	more    []Worker
	seq     uint64 // of the last call queued
	lone    bool   // which is the only one that its worker has
}

func (fl *flushes) add(w Worker) {
	for _, other := range fl.workers[:fl.n] {
		if other == w {
			return
		}
	}
	if fl.n < len(fl.workers) {
		fl.workers[fl.n] = w
		fl.n++
		return
	}
	for _, other := range fl.more {
		if other == w {
			return
		}
	}
	fl.more = append(fl.more, w)
}

// flush sends what was queued, for callers who do not read their replies.
func (fl *flushes) flush() {
	fl.send()
	fl.each(func(w Worker) {
		if a, ok := w.(attender); ok {
			a.Unattended()
		}
	})
}

// send sends what was queued.
func (fl *flushes) send() { fl.each(Worker.Flush) }

func (fl *flushes) each(do func(Worker)) {
	for _, w := range fl.workers[:fl.n] {
		do(w)
	}
	for _, w := range fl.more {
		do(w)
	}
}
