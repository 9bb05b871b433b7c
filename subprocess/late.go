package subprocess

import (
	"sync/atomic"
	"time"
)

// late flushes replies that a slot has left for later, in the hope of more,
// and that a call which takes long has then left behind. It looks once a tick,
// and sleeps while nothing is left.
type late struct {
	out    *outbox
	left   atomic.Bool // something was left since the last look
	dozing atomic.Bool
	kick   chan struct{}
	dead   chan struct{}
	ended  atomic.Bool
}

func (l *late) init(out *outbox) {
	l.out = out
	l.dozing.Store(true)
	l.kick = make(chan struct{}, 1)
	l.dead = make(chan struct{})
}

// expect says that something was left.
func (l *late) expect() {
	l.left.Store(true)
	if l.dozing.Load() && l.dozing.CompareAndSwap(true, false) {
		select {
		case l.kick <- struct{}{}:
		default:
		}
	}
}

// watch is the life of the goroutine that looks.
func (l *late) watch() {
	ticks := time.NewTimer(tick)
	defer ticks.Stop()
	for {
		var next <-chan time.Time // nil while dozing
		if !l.dozing.Load() {
			ticks.Reset(tick)
			next = ticks.C
		}
		select {
		case <-l.dead:
			return
		case <-l.kick:
		case <-next:
			if l.left.Swap(false) {
				l.out.flush()
			} else {
				l.doze()
			}
		}
	}
}

// doze stops looking, unless something was left at this very moment.
func (l *late) doze() {
	l.dozing.Store(true)
	if l.left.Load() {
		l.dozing.Store(false)
	}
}

// end ends the goroutine.
func (l *late) end() {
	if l.ended.CompareAndSwap(false, true) {
		close(l.dead)
	}
}
