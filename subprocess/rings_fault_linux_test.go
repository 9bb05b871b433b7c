package subprocess

import (
	"errors"
	"io"
	"testing"

	"golang.org/x/sys/unix"
)

// ends returns the two ends of a connection through memory, in this process.
func ends(t *testing.T) (*sharedLink, *childShared) {
	t.Helper()
	fds, err := newSocketPair()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fds[1]) })
	s, err := newSocket(fds[0])
	if err != nil {
		t.Fatal(err)
	}
	file, err := newMemory(sizeOfMemory(SharedMemory))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	here, err := newLink(s, file, Options{}.withDefaults())
	if err != nil {
		t.Fatal(err)
	}
	memory, err := mapMemory(int(file.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(memory.unmap)
	t.Cleanup(here.release)
	t.Cleanup(func() { _ = here.Close() })
	c, err := newChildSocket(fds[1])
	if err != nil {
		t.Fatal(err)
	}
	there := newChildLine(c, memory)
	if !here.join() || !there.join() {
		t.Fatal("the ends do not join")
	}
	return here.(*sharedLink), there.(*childShared)
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
