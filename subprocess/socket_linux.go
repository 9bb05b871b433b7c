package subprocess

import (
	"syscall"
	"time"
)

// newSocketPair returns two connected stream sockets that no child inherits and
// whose system calls do not block.
func newSocketPair() ([2]int, error) {
	return syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, 0)
}

func (s *socket) resume() { s.deadline(time.Time{}) }

// endRead shuts the socket down for reading: what has arrived can still be
// read, and then follows the end.
func (s *socket) endRead() {
	s.ended.Store(true)
	// An error means that the socket is closed, which ends reading too.
	_ = s.raw.Control(func(fd uintptr) { _ = syscall.Shutdown(int(fd), syscall.SHUT_RD) })
}
