package spin

import "time"

const (
	// Limit is the longest that a wait polls, by default. It is about what it costs
	// to sleep instead: a call over a socket, with a sleep at either end, takes 25 to
	// 30 µs on two processors.
	Limit = 50 * time.Microsecond

	// eager is how often a wait looks before it yields for the first time, where it
	// is alone: 2 to 3 µs. A guess: a small call and its reply take less.
	eager = 128

	// polls is how often a wait looks between two yields.
	polls = 4

	// yields is how often a wait yields between two looks at the clock.
	yields = 2

	// trust is how many short waits outweigh long ones, at most.
	trust = 8
)

// Waiter waits for one thing that happens again and again. It is not safe for
// concurrent use.
type Waiter struct {
	limit time.Duration
	eager int
	yield func()
	clock time.Time
	since time.Duration // when the wait began
	paid  int           // short waits against long ones, of late
}

// Alone returns a waiter for one who probably has the processor for itself. It
// polls for at most limit, and after a moment calls yield between any few looks. With
// a limit of zero or less it never polls.
func Alone(limit time.Duration, yield func()) *Waiter {
	return &Waiter{limit: limit, eager: eager, yield: yield, clock: time.Now()}
}

// Among returns a waiter that yields from the beginning: for one who keeps others
// from running.
func Among(limit time.Duration, yield func()) *Waiter {
	return &Waiter{limit: limit, yield: yield, clock: time.Now()}
}

// Wait polls until ready, and reports whether it is; otherwise the caller is to
// sleep, and to call [Waiter.Woke] then.
func (w *Waiter) Wait(ready func() bool) bool {
	if w.limit <= 0 {
		return false
	}
	paying := w.paid >= 0
	if paying && look(w.eager, ready) {
		w.note(true)
		return true
	}
	w.since = time.Since(w.clock)
	for paying {
		for range yields {
			w.yield()
			if look(polls, ready) {
				w.note(true)
				return true
			}
		}
		paying = time.Since(w.clock)-w.since < w.limit
	}
	return false
}

// look polls so many times at most.
func look(times int, ready func() bool) bool {
	for range times {
		if ready() {
			return true
		}
		relax()
	}
	return false
}

// Woke ends a wait that came to a sleep: one that was short speaks for polling,
// although it was slept through.
func (w *Waiter) Woke() {
	if w.limit > 0 {
		w.note(time.Since(w.clock)-w.since <= w.limit)
	}
}

// note counts a wait. What is long weighs more: polling for that is a loss, and for
// what is short a gain only where the other end has a processor of its own.
func (w *Waiter) note(short bool) {
	if short {
		w.paid = min(w.paid+1, trust)
	} else {
		w.paid = max(w.paid-2, -trust)
	}
}
