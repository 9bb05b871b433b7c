package subprocess

import (
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// newBell returns a pipe.
func newBell() (bell, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	var fds [2]int
	if err := unix.Pipe(fds[:]); err != nil {
		return bell{}, os.NewSyscallError("pipe", err)
	}
	for _, fd := range fds {
		unix.CloseOnExec(fd)
	}
	return bell{ear: fds[0], clapper: fds[1]}, nil
}

// poll knows whole milliseconds here, and rounds up.
func poll(fds []unix.PollFd, d time.Duration) (int, error) {
	if d == untilKicked {
		return unix.Poll(fds, -1)
	}
	return unix.Poll(fds, int((d+time.Millisecond-1)/time.Millisecond))
}
