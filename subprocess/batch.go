package subprocess

const (
	// copyBytes is the largest payload that is copied into a batch; larger ones
	// are written from where they are. A guess: copying a page is about as dear
	// as a second vector in the system call.
	copyBytes = 4 << 10

	// keepBatch is the largest buffer of a batch that is kept for the next. A
	// guess: some hundred calls of a few KiB.
	keepBatch = 1 << 20

	// vectors is how many pieces one write takes: a frame with a large payload
	// needs two.
	vectors = 16
)

// batch is frames on their way out: bytes, with large payloads between them
// that stay where they are. The zero batch is empty.
type batch struct {
	buf  []byte
	cuts []cut

	sent int // of buf
	cut  int // the next of cuts
	into int // sent of cuts[cut]

	logBytes int // how much of buf is log records
	answers  int // how many frames are answers to host calls
}

// cut is a payload that goes out after buf[:at].
type cut struct {
	at    int
	bytes []byte
	body  *Body // released when the payload is out; may be nil
}

// insert makes bytes the next to go out, without copying them. It takes over
// the caller's reference to body.
func (b *batch) insert(bytes []byte, body *Body) {
	b.cuts = append(b.cuts, cut{at: len(b.buf), bytes: bytes, body: body})
}

func (b *batch) empty() bool { return len(b.buf) == 0 && len(b.cuts) == 0 }

func (b *batch) through() bool { return b.sent == len(b.buf) && b.cut == len(b.cuts) }

// next appends the next pieces to dst, up to its capacity.
func (b *batch) next(dst [][]byte) [][]byte {
	sent, into := b.sent, b.into
	for i := b.cut; len(dst) < cap(dst); i++ {
		end := len(b.buf)
		if i < len(b.cuts) {
			end = b.cuts[i].at
		}
		if sent < end {
			dst = append(dst, b.buf[sent:end])
			sent = end
		}
		if i == len(b.cuts) {
			return dst
		}
		if len(dst) < cap(dst) && into < len(b.cuts[i].bytes) {
			dst = append(dst, b.cuts[i].bytes[into:])
		}
		into = 0
	}
	return dst
}

// advance notes that n bytes are out.
func (b *batch) advance(n int) {
	for {
		end := len(b.buf)
		if b.cut < len(b.cuts) {
			end = b.cuts[b.cut].at
		}
		step := min(n, end-b.sent)
		b.sent += step
		n -= step
		if b.sent < end || b.cut == len(b.cuts) {
			break
		}
		c := &b.cuts[b.cut]
		step = min(n, len(c.bytes)-b.into)
		b.into += step
		n -= step
		if b.into < len(c.bytes) {
			break
		}
		if c.body != nil {
			c.body.Release()
		}
		*c = cut{at: c.at}
		b.cut++
		b.into = 0
	}
	if n != 0 {
		panic("bug: subprocess: wrote more than there was")
	}
}

// reset empties the batch, whether it went out or not.
func (b *batch) reset() {
	for i := b.cut; i < len(b.cuts); i++ {
		if body := b.cuts[i].body; body != nil {
			body.Release()
		}
	}
	clear(b.cuts)
	if cap(b.buf) > keepBatch {
		b.buf = nil
	}
	*b = batch{buf: b.buf[:0], cuts: b.cuts[:0]}
}
