//go:build linux || darwin

package subprocess

import (
	"errors"
	"io"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// socket is the parent's end of a socket pair. Its system calls are made
// directly, through closures that exist once, so that a read or a write
// allocates nothing.
type socket struct {
	file  *os.File
	raw   syscall.RawConn
	ended atomic.Bool // endRead was called: nothing resumes reading

	in struct { // the one who reads
		p   []byte
		n   int
		err error
		do  func(fd uintptr) bool
	}
	out struct { // the one who writes
		b     *batch
		err   error
		vec   [vectors][]byte
		offer func(fd uintptr)
		push  func(fd uintptr) bool
	}
}

// newSocket takes over fd, a stream socket that does not block.
func newSocket(fd int) (*socket, error) {
	s := &socket{file: os.NewFile(uintptr(fd), "wasmpool socket")}
	raw, err := s.file.SyscallConn()
	if err != nil {
		return nil, errors.Join(err, s.file.Close())
	}
	s.raw = raw
	s.in.do = s.readReady
	s.out.offer = func(fd uintptr) { s.writeReady(fd) }
	s.out.push = s.writeReady
	return s, nil
}

func (s *socket) Read(p []byte) (int, error) {
	s.in.p = p
	err := s.raw.Read(s.in.do)
	s.in.p = nil
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return 0, errInterrupted
	case err != nil:
		return 0, err
	}
	return answer(s.in.n, s.in.err)
}

// answer is what a link's Read returns for what the system call did.
func answer(n int, err error) (int, error) {
	switch {
	case errors.Is(err, syscall.ECONNRESET):
		return 0, io.EOF // the other end died without having read everything
	case err != nil:
		return 0, err
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}

// readReady reads once, and reports whether that is an answer.
func (s *socket) readReady(fd uintptr) bool {
	for {
		n, err := syscall.Read(int(fd), s.in.p)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		s.in.n, s.in.err = max(n, 0), err
		return !errors.Is(err, syscall.EAGAIN)
	}
}

func (s *socket) offer(b *batch) (bool, error) {
	s.out.b = b
	err := s.raw.Control(s.out.offer)
	return s.written(err)
}

func (s *socket) push(b *batch) error {
	s.out.b = b
	err := s.raw.Write(s.out.push)
	_, err = s.written(err)
	return err
}

func (s *socket) written(err error) (bool, error) {
	through := s.out.b.through()
	s.out.b = nil
	if err == nil {
		err = s.out.err
	}
	return through, err
}

// writeReady writes until the socket takes no more, and reports whether that is
// an end: the batch is through, or something is wrong.
func (s *socket) writeReady(fd uintptr) bool {
	through, err := s.out.b.writeTo(s.out.vec[:0], func(pieces [][]byte) (int, error) { return writePieces(int(fd), pieces) })
	s.out.err = err
	return through || err != nil
}

// writeTo writes until the batch is through, and reports that it is, or until
// write would block or has failed.
func (b *batch) writeTo(vec [][]byte, write func(pieces [][]byte) (int, error)) (through bool, err error) {
	for !b.through() {
		pieces := b.next(vec)
		n, err := write(pieces)
		clear(pieces)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case errors.Is(err, syscall.EAGAIN):
			return false, nil
		case err != nil:
			return false, err
		}
		b.advance(n)
	}
	return true, nil
}

func writePieces(fd int, pieces [][]byte) (int, error) {
	if len(pieces) == 1 {
		return syscall.Write(fd, pieces[0])
	}
	return unix.Writev(fd, pieces)
}

func (s *socket) interrupt() { s.deadline(time.Unix(1, 0)) }

// deadline cannot fail on an open socket, and on a closed one nothing is left
// to interrupt.
func (s *socket) deadline(t time.Time) { _ = s.file.SetReadDeadline(t) }

// pollWhile does nothing: it never polls.
func (s *socket) pollWhile(func() bool) {}

// attend takes it that who reads will sleep.
func (s *socket) attend(sleeps func()) { announce(sleeps) }
func (s *socket) leave()               {}

func (s *socket) join() bool { return false }

// release does nothing: the kernel knows who uses a socket.
func (s *socket) release() {}

func (s *socket) Close() error { return s.file.Close() }
