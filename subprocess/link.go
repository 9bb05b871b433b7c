package subprocess

import (
	"errors"
	"io"
)

// line is what both ends of the connection between a parent and its child can do.
// One goroutine may read while another writes.
type line interface {
	// Read blocks until there is something. It returns io.EOF when the other end
	// is closed and everything was read.
	io.Reader

	// offer writes what the connection takes without blocking, and reports
	// whether the batch is through.
	offer(b *batch) (through bool, err error)

	// push writes the whole batch, and blocks until it is through or the line is
	// closed.
	push(b *batch) error
}

// link is a line whose reader can be made to leave: the parent's end. What it
// adds is safe at any time.
type link interface {
	line

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
