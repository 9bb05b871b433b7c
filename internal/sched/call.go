package sched

import "time"

// Call is one call of a function. The first group of fields is set by the one
// who submits it; the rest is the state's own, and may be read only where it
// says so.
type Call struct {
	ID           uint64 // rises with every call
	Module       *Module
	Bytes        int64         // of its arguments
	Timeout      time.Duration // of running; none if zero
	QueueTimeout time.Duration // of waiting; none if zero
	Retry        bool          // may run again when its worker is lost
	Nested       bool          // must not wait for another call to end
	Owner        any           // the submitter's; never looked at

	// Readable with the actions that name the call.
	Seq       uint64        // SendCall: its number with the worker
	Attempt   int           // 1 for the first
	Submitted time.Duration // SettleCall: when it was submitted
	RunSince  time.Duration // SettleCall: when it last began to run; negative: never

	state     callState
	worker    *Worker // waiting with it, or sent to it
	leaving   bool    // RecallCall or CancelCall was issued for it, and its worker has not answered
	abandoned bool    // settled while with a worker, whose answer is still to come
	expiring  bool    // waited too long, and being withdrawn; void if it has begun, as its worker may tell
	condemns  bool    // running, abandoned: its worker is about to be killed for it
	timer     timer
	prev      *Call
	next      *Call
	list      *callList
}

type callState uint8

const (
	callNew     callState = iota
	callWaiting           // with a worker's queue or its module's
	callDelayed           // between two attempts
	callSent              // with a worker, behind those that run
	callRunning
	callGone // settled, and held by nobody
)

// callList is a queue of calls; a call is in one at most.
type callList struct {
	head, tail *Call
	n          int
	nested     int // of n; they come first
}

func (l *callList) pushBack(c *Call) { l.insertAfter(c, l.tail) }

// insertByAge keeps the list in the order of submission, nested calls first. A
// new call belongs at the end, and one that comes back from a worker near the
// front.
func (l *callList) insertByAge(c *Call) {
	if l.tail == nil || l.tail.precedes(c) {
		l.pushBack(c)
		return
	}
	var after *Call
	for at := l.head; at.precedes(c); at = at.next {
		after = at
	}
	l.insertAfter(c, after)
}

func (l *callList) insertAfter(c, after *Call) {
	c.list, c.prev = l, after
	if after == nil {
		c.next, l.head = l.head, c
	} else {
		c.next, after.next = after.next, c
	}
	if c.next == nil {
		l.tail = c
	} else {
		c.next.prev = c
	}
	l.n++
	if c.Nested {
		l.nested++
	}
}

// precedes says whether a call waits in front of another one. A nested call does
// in front of all others: it must not come to wait for one of them to end.
func (c *Call) precedes(other *Call) bool {
	if c.Nested != other.Nested {
		return c.Nested
	}
	return c.ID < other.ID
}

// patient returns the first call that is not nested, or nil.
func (l *callList) patient() *Call {
	c := l.head
	for c != nil && c.Nested {
		c = c.next
	}
	return c
}

// oldest returns the call that was submitted first, or nil.
func (l *callList) oldest() *Call {
	if c := l.patient(); c != nil && c.ID < l.head.ID {
		return c
	}
	return l.head
}

func (l *callList) remove(c *Call) {
	if c.prev == nil {
		l.head = c.next
	} else {
		c.prev.next = c.next
	}
	if c.next == nil {
		l.tail = c.prev
	} else {
		c.next.prev = c.prev
	}
	c.prev, c.next, c.list = nil, nil, nil
	l.n--
	if c.Nested {
		l.nested--
	}
}

// Held says whether a worker still has the call, though it is settled.
func (c *Call) Held() bool { return c.state == callSent || c.state == callRunning }

// Abandoned says whether the call is settled while a worker still has it: its
// answer is for nobody.
func (c *Call) Abandoned() bool { return c.abandoned }
