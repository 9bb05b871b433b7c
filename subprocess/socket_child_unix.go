//go:build linux || darwin

package subprocess

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// childSocket is the child's end of the socket pair. Whoever waits for it waits
// in the kernel and not in Go's poller, which may stand still while a guest
// runs; and a read that blocks is one system call where the poller takes three.
type childSocket struct {
	fd  int
	out struct { // the one who writes
		vec [vectors][]byte
	}
}

// newChildSocket takes over fd, a stream socket, and makes its calls block.
func newChildSocket(fd int) (*childSocket, error) {
	if err := syscall.SetNonblock(fd, false); err != nil {
		return nil, err
	}
	return &childSocket{fd: fd}, nil
}

func (s *childSocket) Read(p []byte) (int, error) {
	for {
		n, err := syscall.Read(s.fd, p)
		if !errors.Is(err, syscall.EINTR) {
			return answer(n, err)
		}
	}
}

func (s *childSocket) join() bool    { return false }
func (s *childSocket) canJoin() bool { return false }

func (s *childSocket) offer(b *batch) (bool, error) {
	return b.writeTo(s.out.vec[:0], s.send)
}

func (s *childSocket) push(b *batch) error {
	_, err := b.writeTo(s.out.vec[:0], func(pieces [][]byte) (int, error) { return writePieces(s.fd, pieces) })
	return err
}

// send writes what the socket takes at once.
func (s *childSocket) send(pieces [][]byte) (int, error) {
	if len(pieces) == 1 {
		return syscall.SendmsgN(s.fd, pieces[0], nil, nil, syscall.MSG_DONTWAIT)
	}
	return unix.SendmsgBuffers(s.fd, pieces, nil, nil, unix.MSG_DONTWAIT)
}
