package subprocess

import (
	"errors"
	"io"
	"testing"

	"golang.org/x/sys/unix"
)

// half is the parent's end of a connection through memory, and what its child would
// be given. The end of the test closes it all.
func half(t *testing.T, o Options) (here *sharedLink, socket int, memory sharedMemory) {
	t.Helper()
	fds, err := newSocketPair()
	if err != nil {
		t.Fatal(err)
	}
	s, err := newSocket(fds[0])
	if err != nil {
		t.Fatal(err)
	}
	file, err := newMemory(sizeOfMemory(SharedMemory))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	l, err := newLink(s, file, o)
	if err != nil {
		t.Fatal(err)
	}
	if memory, err = mapMemory(int(file.Fd())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(memory.unmap)
	return l.(*sharedLink), fds[1], memory
}

// ends returns the two ends of such a connection, joined.
func ends(t *testing.T) (*sharedLink, *childShared) {
	t.Helper()
	here, socket, memory := half(t, Options{}.withDefaults())
	t.Cleanup(func() { _ = unix.Close(socket) })
	t.Cleanup(here.release)
	t.Cleanup(func() { _ = here.Close() })
	c, err := newChildSocket(socket)
	if err != nil {
		t.Fatal(err)
	}
	there := newChildLine(c, memory)
	if !here.join() || !there.join() {
		t.Fatal("the ends do not join")
	}
	return here, there.(*childShared)
}

// TestWhoeverStillHasTheMemoryOfADeadChildDoesNotDelayItsEnd has somebody go on
// writing to the ring as fast as the parent reads.
func TestWhoeverStillHasTheMemoryOfADeadChildDoesNotDelayItsEnd(t *testing.T) {
	t.Parallel()
	here, there := ends(t)
	fill := func() {
		if _, err := there.offer(&batch{buf: make([]byte, ringHolds)}); err != nil {
			t.Fatal(err)
		}
	}
	fill()
	here.endRead()
	read := 0
	for buf := make([]byte, 1000); ; fill() {
		n, err := here.Read(buf)
		read += n
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || read > ringHolds {
			t.Fatalf("%d bytes are read after the end, %v, want what had arrived and its end", read, err)
		}
	}
	if read < ringHolds-1000 {
		t.Errorf("%d bytes were read, want the %d that had arrived", read, ringHolds)
	}
}
