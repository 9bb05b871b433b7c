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

	// join has all that follows go through memory, in both directions, after the
	// child's first frame; it reports whether the line can do that. Until then a
	// line that can is as one that cannot.
	join() bool
}

// childLine is the child's end, which says in its first frame whether it will join.
type childLine interface {
	line

	// canJoin reports what join would, without doing it.
	canJoin() bool
}

// link is a line whose reader can be made to leave: the parent's end. What it
// adds is safe at any time.
type link interface {
	line

	// interrupt makes Read return errInterrupted, the one that blocks now and
	// later ones, until resume.
	interrupt()
	resume()

	// pollWhile has Read poll before it sleeps only while something is expected. It
	// is called before all else.
	pollWhile(expected func() bool)

	// attend says that the one who reads from now on has no other goroutine to give
	// way to, as it seems. Before it sleeps it calls sleeps, if there is
	// one. leave says that it reads no more.
	attend(sleeps func())
	leave()

	// endRead makes Read return io.EOF once everything that has arrived is
	// read, although somebody may still hold the other end, and write there.
	endRead()

	// Close ends reading and writing; release gives back what nobody may use any
	// more then, and is called when nobody does.
	io.Closer
	release()
}

var errInterrupted = errors.New("subprocess: read interrupted")

// announce says that the caller of attend is about to sleep, if that wants to know.
func announce(sleep func()) {
	if sleep != nil {
		sleep()
	}
}
