package subprocess

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/wasmpool/wasmpool/internal/wire"
)

const (
	// gather is how long a reply may wait for those of the calls behind it, while
	// those are quick, where each write is a system call. 64 callers on two workers
	// took 19 µs of processor time a call with 50 µs, as with 20 and 100, and 22
	// without. Through memory replies that did not wait were a tenth faster.
	gather = 50 * time.Microsecond

	// timeEvery is of how many quick calls one is timed. A guess: enough to notice
	// soon when they are not quick any more.
	timeEvery = 8

	// slow is how long a call takes after which the slot expects the next to
	// take long as well, and has somebody else read meanwhile. A guess: several
	// times what waking one costs.
	slow = 200 * time.Microsecond

	// maxUnsent bounds the replies that wait for the parent to read, in bytes,
	// before slots wait too: memory that is not reused has to be collected. A
	// guess, about what the socket holds besides.
	maxUnsent = 256 << 10
)

// slot runs calls, one at a time, on a goroutine of its own.
type slot struct {
	child *child
	index int

	invocation Invocation // its goroutine's
	result     Result     // its goroutine's
	took       time.Duration
	calls      uint // that it has run
	lookout    bool // the call that runs may take long, and no slot is free to read

	cancelled atomic.Bool

	wake  sync.Cond // on child.mu; the rest is guarded by that
	idle  bool      // it waits for a call and was not woken yet
	runs  uint64    // the call that runs; 0 for none
	long  bool      // the keeper had to read meanwhile
	asked uint64    // the host call it waits for; 0 for none
	reply HostReply // to the host call it asked last; its bytes are reused
}

func newSlot(c *child, index int) *slot {
	s := &slot{child: c, index: index}
	s.wake.L = &c.mu
	s.invocation.slot = s
	return s
}

// serve is the slot's life. It returns when a [Local] child is dead.
func (s *slot) serve() {
	for {
		j := s.next()
		if j == nil {
			return
		}
		s.run(j)
	}
}

// next returns the next call, already started, or nil when the child is dead.
// While there is none it reads, or waits when somebody else does.
func (s *slot) next() *job {
	c := s.child
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.dead {
		if j := c.startLocked(s); j != nil {
			return j
		}
		if c.queue.len() == 0 {
			c.mu.Unlock()
			led := c.lead(1)
			c.mu.Lock()
			if led {
				continue
			}
		}
		if c.dead || c.mayStartLocked() {
			continue
		}
		s.idle = true
		s.wake.Wait()
		s.idle = false
	}
	return nil
}

// lead reads once as a guest, if the turn is free, and wakes other slots for
// the calls above those that the caller takes itself.
func (c *child) lead(takes int) bool {
	if !c.turn.try() {
		return false
	}
	if err := c.readOnce(); err != nil {
		c.turn.fail(err)
		c.orphaned()
	}
	c.turn.leave(false)
	c.wakeSlots(takes)
	return true
}

// wakeSlots wakes an idle slot for each call in the queue but the first few,
// which somebody else takes. It reports whether it woke one.
func (c *child) wakeSlots(but int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wakeLocked(c.queue.len() - but)
}

func (c *child) wakeLocked(n int) (woke bool) {
	for _, s := range c.slots {
		if n <= 0 {
			break
		}
		if s.idle {
			s.idle = false
			s.wake.Signal()
			woke = true
			n--
		}
	}
	return woke
}

// mayStartLocked reports whether a call waits that may start now.
func (c *child) mayStartLocked() bool {
	return c.queue.len() > 0 && !c.resting && (!c.rest.overdue || c.running == 0)
}

// startLocked takes the next call for a slot, if it may start, and publishes
// that it does. Both happen under one lock, so calls start in their order.
func (c *child) startLocked(s *slot) *job {
	if !c.mayStartLocked() {
		return nil
	}
	j := c.queue.pop()
	if c.hooks.starts != nil {
		c.hooks.starts(j.call.Seq)
	}
	c.publish(j.call.Seq)
	c.running++
	s.runs = j.call.Seq
	s.cancelled.Store(false)
	s.lookout = s.took > slow && !c.wakeLocked(1)
	return j
}

// run runs a call and sends its reply.
func (s *slot) run(j *job) {
	c := s.child
	s.invocation = Invocation{
		ID:         j.call.ID,
		Attempt:    int(j.call.Attempt),
		DeadlineMS: j.call.DeadlineMS,
		Function:   j.name,
		Arguments:  j.bytes[j.metaBytes:],
		slot:       s,
	}
	if j.metaBytes > 0 {
		s.invocation.Meta = j.bytes[:j.metaBytes:j.metaBytes]
	}
	s.result = Result{}
	if s.lookout {
		c.turn.call()
	}
	ended := s.call()
	c.reply(wire.Reply{Seq: j.call.Seq, Code: uint8(s.result.Code), Payload: s.result.Payload})
	if c.hooks.replied != nil {
		c.hooks.replied(j.call.Seq)
	}
	s.finish(j, ended)
}

// call runs the invocation, and takes the time that it takes: of every call where
// somebody has to know, else of one in a few, since a look at the clock is not
// cheap beside a call.
func (s *slot) call() (ended time.Duration) {
	c := s.child
	s.calls++
	if c.gather == 0 && s.took <= slow && s.calls%timeEvery != 0 {
		c.handler.Call(s.index, &s.invocation, &s.result)
		return 0
	}
	began := time.Since(c.clock)
	c.handler.Call(s.index, &s.invocation, &s.result)
	ended = time.Since(c.clock)
	s.took = ended - began
	return ended
}

// finish ends what startLocked began, and then has the reply written, so that what
// the parent sends next finds it noted. That is at once through memory, when no
// other call waits, when it took long or is large, else together with the replies
// of those that follow within a moment. Should one of those take long, the keeper
// writes it.
func (s *slot) finish(j *job, now time.Duration) {
	c := s.child
	c.mu.Lock()
	s.runs = 0
	if s.long {
		s.long, s.took = false, 2*slow // the next one is timed
	}
	c.running--
	c.rest.note(len(j.bytes) + len(s.result.Payload))
	c.queue.recycle(j)
	resting := c.rest.due && c.running == 0
	c.resting = c.resting || resting
	leave := false
	if c.gather > 0 {
		if c.unsent == 0 {
			c.unsent = max(now, 1)
		}
		leave = c.queue.len() > 0 && s.took < c.gather && now-c.unsent < c.gather &&
			len(s.result.Payload) <= copyBytes && !resting
		if !leave {
			c.unsent = 0
		}
	}
	stopping := c.stop != nil
	c.mu.Unlock()
	if !leave || !c.turn.remind() {
		c.out.flush()
		c.out.relieve(maxUnsent)
	}
	if resting {
		c.doRest()
	}
	if stopping {
		c.stopIfDone()
	}
}
