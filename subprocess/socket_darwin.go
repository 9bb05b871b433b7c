package subprocess

import (
	"syscall"
	"time"
)

// newSocketPair returns two connected stream sockets that no child inherits and
// whose system calls do not block.
func newSocketPair() ([2]int, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		return fds, err
	}
	for _, fd := range fds {
		syscall.CloseOnExec(fd)
		if err := syscall.SetNonblock(fd, true); err != nil {
			_ = syscall.Close(fds[0])
			_ = syscall.Close(fds[1])
			return fds, err
		}
	}
	return fds, nil
}

func (s *socket) resume() {
	if !s.ended.Load() {
		s.deadline(time.Time{})
	}
}

// endRead leaves the reader a moment for what has arrived: to shut a socket
// down for reading would discard that here. In most cases the end of the other
// end has been seen long before.
func (s *socket) endRead() {
	s.ended.Store(true)
	s.deadline(time.Now().Add(waitDelay))
}
