package subprocess

import "runtime/metrics"

const (
	// restBytes is how much may be allocated before a collection is worth a
	// pause. A guess: a collection of a small heap takes under a millisecond.
	restBytes = 4 << 20

	// overdueBytes is how much may be allocated before calls have to wait for
	// the pause. A guess, well below what a child's memory is limited to.
	overdueBytes = 64 << 20

	// lookCalls is how many small calls pass between two looks at what was
	// allocated; one call counts as more by lookBytes of its payloads. Guesses:
	// a look takes about a microsecond.
	lookCalls = 256
	lookBytes = 4 << 10
)

// rest tells when garbage has to be collected. The child's collector never
// runs by itself: it would have to stop a running guest, and cannot.
type rest struct {
	work    int    // since the last look
	before  uint64 // allocated at the last rest
	due     bool   // when no call runs
	overdue bool   // and no other call starts before it
	sample  [1]metrics.Sample
}

// note counts a call with so many bytes, and looks now and then.
func (r *rest) note(bytes int) {
	r.work += 1 + bytes/lookBytes
	if r.work >= lookCalls {
		r.look()
	}
}

func (r *rest) look() {
	r.work = 0
	allocated := r.allocated() - r.before
	r.due = allocated >= restBytes
	r.overdue = allocated >= overdueBytes
}

// done notes that the rest is over.
func (r *rest) done() {
	r.before = r.allocated()
	r.work, r.due, r.overdue = 0, false, false
}

// allocated is what was allocated since the start of the program, in bytes. It
// is read without stopping anything.
func (r *rest) allocated() uint64 {
	r.sample[0].Name = "/gc/heap/allocs:bytes"
	metrics.Read(r.sample[:])
	return r.sample[0].Value.Uint64()
}

// doRest lets the handler rest. The caller has set resting, so no call starts
// before the end of it.
func (c *child) doRest() {
	c.handler.Rest()
	c.mu.Lock()
	c.rest.done()
	c.resting = false
	c.wakeLocked(c.queue.len())
	c.mu.Unlock()
	c.stopIfDone()
}
