package subprocess

import (
	"sync"
	"time"
)

// A keeper that has given its turn away looks after it from time to time: a
// tick after the last look, and twice as long each time while guests keep taking
// it, up to a bound. Then a turn that nobody uses any more, or that one guest
// does not give back, is noticed after at most two of them.
//
// To look often is dear: a look that falls between two quick calls wakes idle
// threads, and moves the two processes apart for many calls more. On two
// processors a sequential call of 25 µs took 60 with a look every 0.5 ms, 50
// with one every 4 ms, 40 at 20 ms, and 30 at 50 ms.
const (
	tick     = 500 * time.Microsecond
	maxTick  = 50 * time.Millisecond // where nobody but the guest itself is kept waiting
	slotTick = 2 * time.Millisecond  // where another slot could run the next call meanwhile
)

type holder uint8

const (
	nobody holder = iota
	guest
	keeper
)

// turn is the right to read a link. It belongs to the keeper, a goroutine that
// does nothing else, and is lent to guests: goroutines that would otherwise
// wait for what the keeper reads, and be woken by it.
//
//	         ┌────yield────▶ nobody ──try──▶ guest
//	keeper ──┤                 │ ▲              │
//	   ▲     └──fail──▶ (end)  │ └────leave─────┤
//	   └── a tick without a guest, or urgent ◀──┘ (evicted after a tick, where that is possible)
//
// What the holder has read with belongs to it: the turn's lock orders one
// holder before the next.
//
// Its keeper can be given a chore too, which it does a tick after a reminder:
// somebody has to look at a clock now and then, and it does so anyway.
type turn struct {
	alarm alarm  // what the keeper waits on
	chore func() // what the keeper does within a tick of a reminder; nil: nothing
	evict func() // makes a guest that reads leave; nil: it may stay
	admit func() // undoes evict

	// busy reports whether somebody has to read although the keeper was about to give
	// the turn away; nil: never. It is called with the lock held.
	busy func() bool

	mu       sync.Mutex
	bound    time.Duration // of the time between two looks
	holder   holder
	taken    uint64        // how often a guest has taken it
	wanted   bool          // a guest has asked since the keeper last yielded
	urgent   bool          // the keeper takes it next, at once
	reminded bool          // the chore is to be done
	pause    time.Duration // until the keeper's next look, while it watches
	err      error         // why nobody reads any more
}

// newTurn returns a turn that its keeper holds.
func newTurn(a alarm, chore, evict, admit func()) *turn {
	return &turn{alarm: a, chore: chore, evict: evict, admit: admit, holder: keeper, bound: maxTick}
}

// keep is the keeper's life: it reads, and watches while guests do. It returns
// when reading has failed, whoever did it, with that error.
func (t *turn) keep(read func() (yield bool, err error)) error {
	for {
		yield, err := read()
		if err != nil {
			t.fail(err)
			return err
		}
		if yield {
			if err := t.watch(); err != nil {
				return err
			}
		}
	}
}

// watch gives the turn away, and returns when the keeper has it again.
func (t *turn) watch() error {
	t.mu.Lock()
	t.holder, t.wanted, t.pause = nobody, false, tick
	t.urgent = t.urgent || t.busy != nil && t.busy()
	if t.urgent {
		t.alarm.kick()
	}
	seen := t.taken
	t.mu.Unlock()
	for {
		whole := t.alarm.wait(t.pause)
		t.mu.Lock()
		idle := whole && t.taken == seen
		seen = t.taken
		due := idle || t.urgent
		err, take, evict := t.err, due && t.holder == nobody, due && t.holder == guest && t.evict != nil
		switch {
		case take:
			t.holder, t.urgent = keeper, false
		case evict:
			t.urgent = true // no other guest comes in between
		default:
			t.pause = t.nextLocked(idle)
		}
		chore := t.reminded && (whole || take)
		t.reminded = t.reminded && !chore
		t.mu.Unlock()
		if chore {
			t.chore()
		}
		switch {
		case err != nil || take:
			return err
		case evict:
			return t.reclaim()
		}
	}
}

// nextLocked is how long the keeper waits for its next look.
func (t *turn) nextLocked(idle bool) time.Duration {
	switch {
	case t.reminded:
		return tick
	case t.holder == nobody:
		return tick // it may have been left for long
	case idle:
		return untilKicked // until the guest leaves
	}
	return min(max(2*t.pause, tick), t.bound)
}

// reclaim makes the guest leave and takes its place.
func (t *turn) reclaim() error {
	t.evict()
	defer t.admit()
	for {
		t.mu.Lock()
		if t.err != nil || t.holder == nobody {
			defer t.mu.Unlock()
			t.holder, t.urgent = keeper, false
			return t.err
		}
		t.mu.Unlock()
		t.alarm.wait(untilKicked)
	}
}

// try takes the turn for a guest, if it is free.
func (t *turn) try() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.holder != nobody || t.urgent || t.err != nil {
		return false
	}
	t.holder = guest
	t.taken++
	return true
}

// want asks the keeper to yield when it can.
func (t *turn) want() {
	t.mu.Lock()
	t.wanted = true
	t.mu.Unlock()
}

// isWanted reports whether a guest has asked for the turn.
func (t *turn) isWanted() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.wanted
}

// leave gives a guest's turn back; urgent says that somebody must read now.
func (t *turn) leave(urgent bool) {
	t.mu.Lock()
	t.holder = nobody
	t.urgent = t.urgent || urgent
	wake := t.urgent || t.pause == untilKicked
	t.mu.Unlock()
	if wake {
		t.alarm.kick()
	}
}

// call makes the keeper take the turn as soon as it is free.
func (t *turn) call() {
	t.mu.Lock()
	wake := t.holder == nobody
	t.urgent = t.urgent || wake
	t.mu.Unlock()
	if wake {
		t.alarm.kick()
	}
}

// expel makes a guest leave now, where that is possible.
func (t *turn) expel() {
	t.mu.Lock()
	there := t.holder == guest && t.evict != nil
	t.urgent = t.urgent || there
	t.mu.Unlock()
	if there {
		t.alarm.kick()
	}
}

// remind has the keeper do its chore within a tick, and reports whether it will:
// not while it reads itself.
func (t *turn) remind() bool {
	t.mu.Lock()
	will := t.holder != keeper && t.err == nil
	wake := will && !t.reminded && (t.pause > tick || t.pause == untilKicked)
	t.reminded = t.reminded || will
	t.mu.Unlock()
	if wake {
		t.alarm.kick()
	}
	return will
}

// lookEvery bounds the time between two looks.
func (t *turn) lookEvery(d time.Duration) {
	t.mu.Lock()
	t.bound = d
	t.mu.Unlock()
}

// fail ends the turn, for everybody; the holder calls it.
func (t *turn) fail(err error) {
	t.mu.Lock()
	t.holder = nobody
	if t.err == nil {
		t.err = err
	}
	t.mu.Unlock()
	t.alarm.kick()
}
