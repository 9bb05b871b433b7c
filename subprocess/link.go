package subprocess

import (
	"errors"
	"io"
)

// link is one end of the connection between a parent and its child. One
// goroutine may read while another writes; the rest is safe at any time.
type link interface {
	// Read blocks until there is something. It returns io.EOF when the other end
	// is closed and everything was read, and errInterrupted after interrupt.
	io.Reader

	// offer writes what the connection takes without blocking, and reports
	// whether the batch is through.
	offer(b *batch) (through bool, err error)

	// push writes the whole batch, and blocks until it is through or the link
	// is closed.
	push(b *batch) error

	// interrupt makes Read return errInterrupted, the one that blocks now and
	// later ones, until resume.
	interrupt()
	resume()

	// endRead makes Read return io.EOF once everything that has arrived is
	// read, although somebody may still hold the other end.
	endRead()

	io.Closer
}

var errInterrupted = errors.New("subprocess: read interrupted")
