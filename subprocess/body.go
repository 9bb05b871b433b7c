package subprocess

import (
	"sync"
	"sync/atomic"
)

// keepBody bounds the buffers that are kept for reuse, so that one large call
// does not hold its memory for ever. A guess: most calls are far smaller.
const keepBody = 64 << 10

var bodies = sync.Pool{New: func() any { return new(Body) }}

// Body is the payload of a call in a buffer that is shared, without copying,
// by the caller who may have to send it again and the connections that are
// about to write it. It returns to a pool when the last reference is dropped.
type Body struct {
	// Bytes is filled by the one who made the body, and only read after it has
	// been queued.
	Bytes []byte

	refs atomic.Int32
}

// NewBody returns an empty body with one reference.
func NewBody() *Body {
	b := bodies.Get().(*Body)
	b.refs.Store(1)
	return b
}

// Retain adds a reference.
func (b *Body) Retain() { b.refs.Add(1) }

// Release drops a reference; the last one ends the body's life.
func (b *Body) Release() {
	switch n := b.refs.Add(-1); {
	case n < 0:
		panic("bug: subprocess: body released more often than retained")
	case n > 0:
		return
	}
	if cap(b.Bytes) > keepBody {
		b.Bytes = nil
	}
	b.Bytes = b.Bytes[:0]
	bodies.Put(b)
}
