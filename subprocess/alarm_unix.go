//go:build linux || darwin

package subprocess

import (
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// kernelAlarm is an alarm whose waiting is a system call: it needs neither a
// timer nor the poller of Go, which both stand still when the thread that watches
// them for all others is given a guest that never pauses.
type kernelAlarm struct {
	state atomic.Uint32
	bell  bell
}

// The states of a kernelAlarm. Only a kick of one who sleeps rings the bell, and
// the sleeper takes that ring back.
const (
	awake uint32 = iota
	asleep
	kicked
)

func newKernelAlarm() (*kernelAlarm, error) {
	b, err := newBell()
	if err != nil {
		return nil, err
	}
	return &kernelAlarm{bell: b}, nil
}

func (a *kernelAlarm) wait(d time.Duration) (whole bool) {
	if !a.state.CompareAndSwap(awake, asleep) {
		a.state.Store(awake)
		return false
	}
	passed := a.bell.await(d)
	if a.state.Swap(awake) == kicked {
		a.bell.hush()
		return false
	}
	return passed
}

func (a *kernelAlarm) kick() {
	if a.state.Swap(kicked) == asleep {
		a.bell.ring()
	}
}

// bell is a pair of descriptors: one can be read when somebody wrote to the other.
type bell struct{ ear, clapper int }

// bellBytes is what is written at once: as much as a counter of Linux wants.
const bellBytes = 8

// ring cannot fail: there is room for more rings than there may be.
func (b bell) ring() {
	one := [bellBytes]byte{1}
	_, _ = unix.Write(b.clapper, one[:])
}

// hush takes one ring back, and waits for one that is about to come.
func (b bell) hush() {
	var ring [bellBytes]byte
	for {
		if _, err := unix.Read(b.ear, ring[:]); err != unix.EINTR {
			return
		}
	}
}

// await blocks for d, or until the bell rings, and reports whether d has passed.
func (b bell) await(d time.Duration) (passed bool) {
	ears := [1]unix.PollFd{{Fd: int32(b.ear), Events: unix.POLLIN}}
	n, err := poll(ears[:], d)
	return n == 0 && err == nil
}
