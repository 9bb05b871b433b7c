package wire

import (
	"fmt"
	"math/bits"
	"sync/atomic"
	"unsafe"
)

// lineBytes keeps what one side writes off what the other writes: two cache
// lines, since processors fetch them in pairs.
const lineBytes = 128

// marks are the head of a ring in memory. Positions count bytes since the
// beginning, so that full and empty differ.
//
// Each of the flags is set by the one who is about to sleep and cleared, once, by
// the other, who then has to wake it.
type marks struct {
	tail   atomic.Uint64 // how far the producer has come
	_      [lineBytes - 8]byte
	full   atomic.Uint32 // 1: the producer waits for room
	_      [lineBytes - 4]byte
	head   atomic.Uint64 // how far the consumer has come
	_      [lineBytes - 8]byte
	asleep atomic.Uint32 // 1: the consumer waits for bytes
	_      [lineBytes - 4]byte
}

// RingBytes is the memory of a ring that holds so many bytes, a power of two.
func RingBytes(holds int) int { return int(unsafe.Sizeof(marks{})) + holds }

// ring is one end of a stream of bytes that goes one way through memory which two
// processes share. Nothing that the other end writes is trusted: a position of
// its is read once, compared with one's own, which are kept outside of that
// memory, and bytes are copied out before anybody looks at them.
type ring struct {
	marks *marks
	data  []byte
	head  uint64 // one of them is this end's own, the other was read last
	tail  uint64
}

func newRing(memory []byte) ring {
	head := int(unsafe.Sizeof(marks{}))
	size := len(memory) - head
	if size <= 0 || bits.OnesCount(uint(size)) != 1 {
		panic(fmt.Sprintf("bug: wire: ring in %d bytes", len(memory)))
	}
	return ring{marks: (*marks)(unsafe.Pointer(&memory[0])), data: memory[head:]}
}

// errMark says that the other end has moved to where it cannot be.
func (r *ring) errMark(what string, at uint64) error {
	return fmt.Errorf("wire: %s of a ring of %d bytes at %d, with %d to %d in use", what, len(r.data), at, r.head, r.tail)
}

// at is the bytes from a position to the end of the ring or so many, what is less.
func (r *ring) at(position uint64, n int) []byte {
	from := int(position & uint64(len(r.data)-1))
	return r.data[from:min(from+n, len(r.data))]
}

// Full is the word to sleep on after [Producer.Starve], while it is 1, and the one
// to wake sleepers at.
func (r *ring) Full() *atomic.Uint32 { return &r.marks.full }

// Producer is the end of a ring that writes. It is not safe for concurrent use.
type Producer struct{ ring }

// NewProducer returns the writing end of a ring in memory that is zero, or that
// nobody has written to, of [RingBytes].
func NewProducer(memory []byte) *Producer { return &Producer{newRing(memory)} }

// Write copies what there is room for, and returns how much that was. The other
// end sees it after [Producer.Publish].
func (p *Producer) Write(b []byte) (n int, err error) {
	for n < len(b) {
		room := len(p.data) - int(p.tail-p.head)
		if room < len(b)-n {
			if room, err = p.room(); err != nil {
				return n, err
			}
			if room == 0 {
				break
			}
		}
		c := copy(p.at(p.tail, room), b[n:])
		p.tail += uint64(c)
		n += c
	}
	return n, nil
}

// room looks how far the consumer has come.
func (p *Producer) room() (int, error) {
	head := p.marks.head.Load()
	if head-p.head > p.tail-p.head {
		return 0, p.errMark("head", head)
	}
	p.head = head
	return len(p.data) - int(p.tail-head), nil
}

// Publish shows the other end what was written. It reports whether that one
// sleeps and has to be woken.
func (p *Producer) Publish() (wake bool) {
	p.marks.tail.Store(p.tail)
	return p.marks.asleep.Load() != 0 && p.marks.asleep.CompareAndSwap(1, 0)
}

// Starve says that this end is about to sleep for want of room, and reports
// whether it may: otherwise there is room by now.
func (p *Producer) Starve() (sleep bool, err error) {
	p.marks.full.Store(1)
	room, err := p.room()
	if room > 0 || err != nil {
		p.marks.full.Store(0)
		return false, err
	}
	return true, nil
}

// Consumer is the end of a ring that reads. It is not safe for concurrent use.
type Consumer struct{ ring }

// NewConsumer returns the reading end.
func NewConsumer(memory []byte) *Consumer { return &Consumer{newRing(memory)} }

// Ready reports whether there is something to read.
func (c *Consumer) Ready() bool { return c.marks.tail.Load() != c.head }

// Read copies what there is, at most as much as fits, and returns how much that
// was; it does not wait. It reports whether the producer sleeps for want of room
// and has to be woken.
func (c *Consumer) Read(b []byte) (n int, wake bool, err error) {
	if c.tail == c.head {
		tail := c.marks.tail.Load()
		if tail-c.head > uint64(len(c.data)) {
			return 0, false, c.errMark("tail", tail)
		}
		c.tail = tail
	}
	for n < len(b) && c.head != c.tail {
		m := copy(b[n:], c.at(c.head, int(c.tail-c.head)))
		c.head += uint64(m)
		n += m
	}
	if n == 0 {
		return 0, false, nil
	}
	c.marks.head.Store(c.head)
	return n, c.marks.full.Load() != 0 && c.marks.full.CompareAndSwap(1, 0), nil
}

// Doze says that this end is about to sleep, and reports whether it may: otherwise
// there is something to read by now. Either way the other end may wake it once.
func (c *Consumer) Doze() (sleep bool) {
	c.marks.asleep.Store(1)
	if c.Ready() {
		c.marks.asleep.Store(0)
		return false
	}
	return true
}

// Rouse says that this end is awake, whoever woke it.
func (c *Consumer) Rouse() { c.marks.asleep.Store(0) }
