package subprocess

import (
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The operations of futex(2), on words that processes share.
const (
	futexWait = 0
	futexWake = 1
)

// sleepOn blocks while a word of shared memory is 1, until somebody wakes those
// who do, or for d: the other end may see to it that nobody does.
func sleepOn(word *atomic.Uint32, d time.Duration) {
	timeout := unix.NsecToTimespec(int64(d))
	// Whatever it returns, the caller looks what has become of the world.
	_, _, _ = unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWait, 1, uintptr(unsafe.Pointer(&timeout)), 0, 0)
}

// wakeOn wakes them.
func wakeOn(word *atomic.Uint32) {
	_, _, _ = unix.RawSyscall(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWake, 1) // cannot fail
}
