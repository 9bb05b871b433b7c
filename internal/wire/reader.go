package wire

import "io"

const (
	// readBytes is the buffer of a reader. Two payloads of 64 KiB fit, and what
	// a socket holds by default comes in two or three reads.
	readBytes = 128 << 10

	// keepBytes is the largest buffer that is kept after the frame that needed
	// it. A guess.
	keepBytes = 1 << 20

	// A frame of ownMin to ownMax bytes arrives in memory of its own, if a reader
	// sees it coming, and need not be copied once more. That is the one case in which
	// memory is taken for bytes that are announced, and ownMax bounds it. Guesses:
	// less is as quickly copied, and more is not held up by it.
	ownMin = 16 << 10
	ownMax = 512 << 10

	// peekBytes is what is read first where a large frame is likely: enough for the
	// head of one.
	peekBytes = 64
)

// Reader finds frames in a stream. It is not safe for concurrent use.
type Reader struct {
	source io.Reader
	limits Limits
	memory func(n int) []byte
	buf    []byte
	r, w   int    // buf[r:w] is read from the source and not yet taken
	own    []byte // a frame that arrives in memory of its own; nil for none
	filled int    // how much of it has arrived
	large  bool   // the frame before was large, and the next one may be
}

// NewReader returns a reader of source that accepts what limits allow. The memory
// of large frames is taken from the function, if there is one; it is the one's who
// takes the frame.
func NewReader(source io.Reader, limits Limits, memory func(n int) []byte) *Reader {
	if memory == nil {
		memory = func(n int) []byte { return make([]byte, n) }
	}
	return &Reader{source: source, limits: limits, memory: memory, buf: make([]byte, readBytes)}
}

// Fill reads once from the source. It is called when [Reader.Next] has no frame
// left, and blocks as the source does. Earlier frames are invalid after it, but
// for those that have memory of their own. At the end of the source it returns
// io.EOF, or io.ErrUnexpectedEOF when that is within a frame.
func (r *Reader) Fill() error {
	n, err := r.source.Read(r.room())
	if r.own != nil {
		r.filled += n
	} else {
		r.w += n
	}
	if n > 0 {
		return nil // an error with it comes again
	}
	if err == io.EOF && (r.r < r.w || r.own != nil) {
		return io.ErrUnexpectedEOF
	}
	if err == nil {
		return io.ErrNoProgress
	}
	return err
}

// room is where to read to.
func (r *Reader) room() []byte {
	if r.own != nil {
		return r.own[r.filled:]
	}
	r.makeRoom()
	if r.large && r.r == r.w {
		return r.buf[r.w : r.w+peekBytes]
	}
	return r.buf[r.w:]
}

// makeRoom leaves at least one byte to read into, and most of the time at least
// half of the buffer.
func (r *Reader) makeRoom() {
	if r.r == r.w {
		r.r, r.w = 0, 0
		if len(r.buf) > keepBytes {
			r.buf = make([]byte, readBytes)
		}
		return
	}
	if r.r > 0 && len(r.buf)-r.w < len(r.buf)/2 {
		r.w = copy(r.buf, r.buf[r.r:r.w])
		r.r = 0
	}
	if r.w < len(r.buf) {
		return
	}
	// The buffer is full of one frame that goes on: the bytes are there, so
	// twice as many are a fair guess, and never more than the frame needs.
	size := int64(2 * len(r.buf))
	if need, err := frameBytes(r.buf[:r.w], &r.limits); err == nil && need > 0 {
		size = min(size, need)
	}
	grown := make([]byte, size)
	r.w = copy(grown, r.buf[r.r:r.w])
	r.r = 0
	r.buf = grown
}

// Next takes the next complete frame of what was read, and reports whether
// there was one. The frame is valid until the next Fill, or has memory of its own.
func (r *Reader) Next() (Frame, bool, error) {
	if r.own != nil {
		return r.nextOwn()
	}
	b := r.buf[r.r:r.w]
	size, err := frameBytes(b, &r.limits)
	if err != nil || size == 0 {
		return Frame{}, false, err
	}
	r.large = size >= ownMin
	if int64(len(b)) >= size {
		r.r += int(size)
		return frameOf(b[:size]), true, nil
	}
	if r.large && size <= ownMax {
		r.own = r.memory(int(size))
		r.filled = copy(r.own, b)
		r.r, r.w = 0, 0
	}
	return Frame{}, false, nil
}

// nextOwn takes the frame that has memory of its own, once it is complete.
func (r *Reader) nextOwn() (Frame, bool, error) {
	if r.filled < len(r.own) {
		return Frame{}, false, nil
	}
	f := frameOf(r.own)
	f.Owned = r.own
	r.own, r.filled = nil, 0
	return f, true, nil
}
