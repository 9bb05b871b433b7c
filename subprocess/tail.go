package subprocess

import "sync"

// tailBytes is how much of a child's standard error is kept: enough for a
// message and the first goroutine's stack. A guess.
const tailBytes = 8 << 10

// tail keeps the last bytes written to it.
type tail struct {
	mu   sync.Mutex
	ring []byte
	at   int // where the next byte goes, once the ring is full
}

// Write never fails.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(p)
	p = p[max(0, n-tailBytes):]
	room := min(len(p), tailBytes-len(t.ring))
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
	return string(t.ring[t.at:]) + string(t.ring[:t.at])
}
