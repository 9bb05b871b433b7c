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
// To look often is dear: a timer that fires between two quick calls wakes idle
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
type turn struct {
	evict func() // makes a guest that reads leave; nil: it may stay
	admit func() // undoes evict

	kick chan struct{} // wakes the keeper

	mu     sync.Mutex
	bound  time.Duration // of the time between two looks
	holder holder
	taken  uint64 // how often a guest has taken it
	wanted bool   // a guest has asked since the keeper last yielded
	urgent bool   // the keeper takes it next, at once
	dozing bool   // the keeper watches no clock
	err    error  // why nobody reads any more
}

// newTurn returns a turn that its keeper holds.
func newTurn(evict, admit func()) *turn {
	return &turn{evict: evict, admit: admit, holder: keeper, bound: maxTick, kick: make(chan struct{}, 1)}
}

// keep is the keeper's life: it reads, and watches while guests do. It returns
// when reading has failed, whoever did it, with that error.
func (t *turn) keep(read func() (yield bool, err error)) error {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		yield, err := read()
		if err != nil {
			t.fail(err)
			return err
		}
		if yield {
			if err := t.watch(timer); err != nil {
				return err
			}
		}
	}
}

// watch gives the turn away, and returns when the keeper has it again.
func (t *turn) watch(timer *time.Timer) error {
	t.mu.Lock()
	t.holder, t.wanted = nobody, false
	seen := t.taken
	t.mu.Unlock()
	for next := tick; ; {
		whole := t.wait(timer, next)
		t.mu.Lock()
		idle := whole && t.taken == seen
		seen = t.taken
		switch {
		case t.err != nil:
			t.mu.Unlock()
			return t.err
		case t.holder == nobody && (idle || t.urgent):
			t.holder, t.urgent = keeper, false
			t.mu.Unlock()
			return nil
		case t.holder == guest && (idle || t.urgent) && t.evict != nil:
			t.urgent = true // no other guest comes in between
			t.mu.Unlock()
			return t.reclaim()
		case t.holder == guest && idle:
			t.dozing = true // until it leaves
		}
		next = min(2*next, t.bound)
		if t.holder == nobody {
			next = tick // it may have been left for long
		}
		t.mu.Unlock()
	}
}

// wait lets d pass and reports true, or less when the keeper is needed.
func (t *turn) wait(timer *time.Timer, d time.Duration) (whole bool) {
	t.mu.Lock()
	dozing := t.dozing
	t.mu.Unlock()
	if dozing {
		<-t.kick
		return false
	}
	timer.Reset(d)
	select {
	case <-timer.C:
		return true
	case <-t.kick:
		return false
	}
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
		<-t.kick
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
	wake := t.urgent || t.dozing
	t.dozing = false
	t.mu.Unlock()
	if wake {
		t.wake()
	}
}

// call makes the keeper take the turn as soon as it is free.
func (t *turn) call() {
	t.mu.Lock()
	wake := t.holder == nobody
	t.urgent = t.urgent || wake
	t.dozing = t.dozing && !wake
	t.mu.Unlock()
	if wake {
		t.wake()
	}
}

// expel makes a guest leave now, where that is possible.
func (t *turn) expel() {
	t.mu.Lock()
	there := t.holder == guest && t.evict != nil
	t.urgent = t.urgent || there
	t.mu.Unlock()
	if there {
		t.wake()
	}
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
	t.holder, t.dozing = nobody, false
	if t.err == nil {
		t.err = err
	}
	t.mu.Unlock()
	t.wake()
}

func (t *turn) wake() {
	select {
	case t.kick <- struct{}{}:
	default: // it is already on its way
	}
}
