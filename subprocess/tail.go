package subprocess

import (
	"fmt"
	"sync"
)

const (
	// tailBytes is how much of the end of a child's standard error is kept: enough
	// for a message and the first goroutine's stack. A guess.
	tailBytes = 8 << 10

	// headBytes is how much of its beginning is: the Go runtime says first why it
	// ends a program, and then many stacks. A guess.
	headBytes = 512
)

// tail keeps the first and the last bytes written to it.
type tail struct {
	mu   sync.Mutex
	head []byte
	ring []byte
	at   int   // where the next byte goes, once the ring is full
	lost int64 // between head and ring
}

// Write never fails.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(p)
	room := min(len(p), headBytes-len(t.head))
	t.head = append(t.head, p[:room]...)
	p = p[room:]
	t.lost += int64(max(0, len(t.ring)+len(p)-tailBytes))
	p = p[max(0, len(p)-tailBytes):]
	room = min(len(p), tailBytes-len(t.ring))
	t.ring = append(t.ring, p[:room]...)
	for p = p[room:]; len(p) > 0; {
		k := copy(t.ring[t.at:], p)
		t.at = (t.at + k) % tailBytes
		p = p[k:]
	}
	return n, nil
}

// String returns what is kept, in order.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var cut string
	if t.lost > 0 {
		cut = fmt.Sprintf("\n… %d bytes …\n", t.lost)
	}
	return string(t.head) + cut + string(t.ring[t.at:]) + string(t.ring[:t.at])
}
