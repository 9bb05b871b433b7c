package subprocess

import (
	"net"
	"sync"
)

// rounds bounds how long one goroutine writes what others add meanwhile. A
// guess: it should not be caught for longer than a few writes.
const rounds = 4

// outbox carries frames to a line. Frames are added under its lock, without
// I/O; flushing combines: one goroutine writes what all have added.
type outbox struct {
	line   line
	failed func(err error) // is told what went wrong with the line; may be nil

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
	more := o.claim(pause)
	for i := 0; more; i++ {
		through, err := false, error(nil)
		if i < rounds {
			through, err = o.line.offer(o.sending)
		}
		if !through && err == nil {
			go o.drain() // ends when everything is out, or with the line
			return
		}
		more = o.next(err)
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

// end lets nothing more be written, and blocks until nobody writes. The line is
// closed already.
func (o *outbox) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.failLocked(net.ErrClosed)
	for o.writing {
		o.free.Wait()
	}
}

// drain writes what flush could not.
func (o *outbox) drain() {
	for more := true; more; {
		more = o.next(o.line.push(o.sending))
	}
}

// claim makes the caller the one who writes, and reports whether there is
// something to write and nobody who does. What was added is then to be sent; with
// a pause, also what is added meanwhile.
func (o *outbox) claim(pause func()) bool {
	o.mu.Lock()
	if o.writing || o.filling.empty() {
		o.mu.Unlock()
		return false
	}
	o.writing = true
	if pause != nil {
		o.mu.Unlock()
		pause()
		o.mu.Lock()
	}
	o.sending, o.filling = o.filling, o.sending
	o.mu.Unlock()
	return true
}

// next ends the sending of one batch, and begins that of what was added
// meanwhile, or reports that there is nothing: then the caller does not write any
// more.
func (o *outbox) next(err error) bool {
	o.sending.reset()
	if err != nil && o.failed != nil {
		o.failed(err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if err != nil {
		o.failLocked(err)
	}
	if o.filling.empty() {
		o.writing = false
		o.free.Broadcast()
		return false
	}
	o.sending, o.filling = o.filling, o.sending
	o.free.Broadcast() // there is room again
	return true
}

// failLocked lets nothing more be written.
func (o *outbox) failLocked(err error) {
	if o.err == nil {
		o.err = err
	}
	o.filling.reset()
}
