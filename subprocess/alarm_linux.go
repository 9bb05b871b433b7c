package subprocess

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// newBell returns an event counter, which is both ends at once.
func newBell() (bell, error) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err != nil {
		return bell{}, os.NewSyscallError("eventfd", err)
	}
	return bell{ear: fd, clapper: fd}, nil
}

func poll(fds []unix.PollFd, d time.Duration) (int, error) {
	if d == untilKicked {
		return unix.Ppoll(fds, nil, nil)
	}
	timeout := unix.NsecToTimespec(int64(d))
	return unix.Ppoll(fds, &timeout, nil)
}
