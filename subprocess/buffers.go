package subprocess

const (
	// largeBuffer parts the buffers that are kept, so that a small call does not take
	// what a large one needs. A guess.
	largeBuffer = 16 << 10

	// smallBuffer is the least that is allocated. A guess: most calls fit.
	smallBuffer = 256

	// keepBuffers and keepBufferBytes bound what is kept for reuse, in all. Guesses:
	// more calls than a parent sends ahead, and 64 of 64 KiB among them.
	keepBuffers     = 1024
	keepBufferBytes = 8 << 20
)

// buffers is memory that is used again and again. Of two kinds: small and large.
type buffers struct {
	kept  [2][][]byte
	bytes int
}

// kind is which of the two a size belongs to.
func kind(n int) int {
	if n >= largeBuffer {
		return 1
	}
	return 0
}

// take returns n bytes that are kept, or new ones.
func (b *buffers) take(n int) []byte {
	kept := &b.kept[kind(n)]
	last := len(*kept) - 1
	if last < 0 {
		return make([]byte, n, max(n, smallBuffer))
	}
	buffer := (*kept)[last]
	(*kept)[last] = nil
	*kept = (*kept)[:last]
	b.bytes -= cap(buffer)
	if cap(buffer) < n { // replaced by a larger one, so that there is a last time
		return make([]byte, n)
	}
	return buffer[:n]
}

// give keeps a buffer for reuse.
func (b *buffers) give(buffer []byte) {
	kept := &b.kept[kind(cap(buffer))]
	if cap(buffer) > 0 && len(*kept) < keepBuffers && b.bytes+cap(buffer) <= keepBufferBytes {
		*kept = append(*kept, buffer)
		b.bytes += cap(buffer)
	}
}
