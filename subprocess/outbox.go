package subprocess

import "sync"

// rounds bounds how long one goroutine writes what others add meanwhile. A
// guess: it should not be caught for longer than a few writes.
const rounds = 4

// outbox carries frames to a line. Frames are added under its lock, without
// I/O; flushing combines: one goroutine writes what all have added.
type outbox struct {
	line line

	mu      sync.Mutex
	filling *batch // what is added next
	writing bool   // somebody owns sending
	err     error  // set when nothing can be written any more
	free    sync.Cond

	sending *batch // the one who set writing
}

func newOutbox(l line) *outbox {
	o := &outbox{line: l, filling: new(batch), sending: new(batch)}
	o.free.L = &o.mu
	return o
}

// open locks the outbox and returns what to append frames to; close unlocks it.
func (o *outbox) open() *batch {
	o.mu.Lock()
	return o.filling
}

func (o *outbox) close() {
	if o.err != nil {
		o.filling.reset()
	}
	o.mu.Unlock()
}

// flush writes what was added, and never blocks: what the line does not take at
// once is left to a goroutine, and while another goroutine writes, to that one.
func (o *outbox) flush() { o.flushAfter(nil) }

// flushAfter is flush with something to be done first by the one who writes, for
// others to add more meanwhile.
func (o *outbox) flushAfter(pause func()) {
	for i := 0; o.claim(); i++ {
		if pause != nil && i == 0 {
			pause()
		}
		o.swap()
		through, err := false, error(nil)
		if i < rounds {
			through, err = o.line.offer(o.sending)
		}
		if !through && err == nil {
			go o.drain() // ends when everything is out, or with the line
			return
		}
		o.finish(err)
	}
}

// relieve blocks while more than so many bytes wait behind a writer that the
// other end keeps waiting.
func (o *outbox) relieve(bytes int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.writing && len(o.filling.buf) > bytes {
		o.free.Wait()
	}
}

// settle writes what was added, blocks until it is through or the line is
// closed, and returns what went wrong with the line.
func (o *outbox) settle() error {
	o.flush()
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.writing {
		o.free.Wait()
	}
	return o.err
}

// drain writes what flush could not.
func (o *outbox) drain() {
	for {
		o.finish(o.line.push(o.sending))
		if !o.claim() {
			return
		}
		o.swap()
	}
}

// claim makes the caller the one who writes, and reports whether there is
// something to write and nobody who does.
func (o *outbox) claim() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.writing || o.filling.empty() {
		return false
	}
	o.writing = true
	return true
}

// swap takes what was added, to be written by the one who claimed that.
func (o *outbox) swap() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sending, o.filling = o.filling, o.sending
}

// finish ends what claim began.
func (o *outbox) finish(err error) {
	o.sending.reset()
	o.mu.Lock()
	if err != nil && o.err == nil {
		o.err = err
		o.filling.reset()
	}
	o.writing = false
	o.mu.Unlock()
	o.free.Broadcast()
}
