package subprocess

import (
	"io"
	"sync"
	"syscall"
)

// pipeBytes is what a pipe holds in one direction: about what a socket does.
const pipeBytes = 200 << 10

// stream is one direction of a pipe. It blocks on a condition only, so that it
// works with the false time of a test.
type stream struct {
	mu          sync.Mutex
	changed     sync.Cond
	held        []byte
	interrupted bool
	noMore      bool // the writer is gone
	deaf        bool // the reader is gone
}

// pipeEnd is a [link] in memory.
type pipeEnd struct{ in, out *stream }

// newPipe returns the two ends of a connection in memory.
func newPipe() (a, b *pipeEnd) {
	there, back := new(stream), new(stream)
	there.changed.L, back.changed.L = &there.mu, &back.mu
	return &pipeEnd{in: back, out: there}, &pipeEnd{in: there, out: back}
}

func (e *pipeEnd) Read(p []byte) (int, error) {
	s := e.in
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.interrupted:
			return 0, errInterrupted
		case s.deaf:
			return 0, io.EOF
		case len(s.held) > 0:
			n := copy(p, s.held)
			s.held = s.held[:copy(s.held, s.held[n:])]
			s.changed.Broadcast()
			return n, nil
		case s.noMore:
			return 0, io.EOF
		}
		s.changed.Wait()
	}
}

func (e *pipeEnd) offer(b *batch) (bool, error) {
	s := e.out
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.putLocked(b)
}

func (e *pipeEnd) push(b *batch) error {
	s := e.out
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		if through, err := s.putLocked(b); through || err != nil {
			return err
		}
		s.changed.Wait()
	}
}

// putLocked moves what fits from b into the stream.
func (s *stream) putLocked(b *batch) (through bool, err error) {
	if s.deaf || s.noMore {
		return false, syscall.EPIPE
	}
	for !b.through() {
		piece := b.next(make([][]byte, 0, 1))[0]
		n := min(len(piece), pipeBytes-len(s.held))
		if n == 0 {
			return false, nil
		}
		s.held = append(s.held, piece[:n]...)
		b.advance(n)
		s.changed.Broadcast()
	}
	return true, nil
}

func (e *pipeEnd) interrupt() { e.in.change(func(s *stream) { s.interrupted = true }) }
func (e *pipeEnd) resume()    { e.in.change(func(s *stream) { s.interrupted = false }) }
func (e *pipeEnd) endRead()   { e.in.change(func(s *stream) { s.noMore = true }) }

// pollWhile does nothing: it never polls.
func (e *pipeEnd) pollWhile(func() bool) {}

// attend does not know whether it will sleep.
func (e *pipeEnd) attend(sleeps func()) { announce(sleeps) }
func (e *pipeEnd) leave()               {}

func (e *pipeEnd) join() bool    { return false }
func (e *pipeEnd) canJoin() bool { return false }
func (e *pipeEnd) release()      {}

// Close leaves to the other end what was written before.
func (e *pipeEnd) Close() error {
	e.in.change(func(s *stream) { s.deaf = true })
	e.out.change(func(s *stream) { s.noMore = true })
	return nil
}

func (s *stream) change(f func(*stream)) {
	s.mu.Lock()
	f(s)
	s.mu.Unlock()
	s.changed.Broadcast()
}
