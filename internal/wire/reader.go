package wire

import "io"

const (
	// readBytes is the buffer of a reader. Two payloads of 64 KiB fit, and what
	// a socket holds by default comes in two or three reads.
	readBytes = 128 << 10

	// keepBytes is the largest buffer that is kept after the frame that needed
	// it. A guess.
	keepBytes = 1 << 20
)

// Reader finds frames in a stream. It is not safe for concurrent use.
type Reader struct {
	source io.Reader
	limits Limits
	buf    []byte
	r, w   int // buf[r:w] is read from the source and not yet taken
}

// NewReader returns a reader of source that accepts what limits allow.
func NewReader(source io.Reader, limits Limits) *Reader {
	return &Reader{source: source, limits: limits, buf: make([]byte, readBytes)}
}

// Fill reads once from the source. It is called when [Reader.Next] has no frame
// left, and blocks as the source does. Earlier frames are invalid after it. At
// the end of the source it returns io.EOF, or io.ErrUnexpectedEOF when that is
// within a frame.
func (r *Reader) Fill() error {
	r.makeRoom()
	n, err := r.source.Read(r.buf[r.w:])
	r.w += n
	if n > 0 {
		return nil // an error with it comes again
	}
	if err == io.EOF && r.r < r.w {
		return io.ErrUnexpectedEOF
	}
	if err == nil {
		return io.ErrNoProgress
	}
	return err
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
// there was one. The frame is valid until the next Fill.
func (r *Reader) Next() (Frame, bool, error) {
	f, n, err := Split(r.buf[r.r:r.w], &r.limits)
	r.r += n
	return f, n > 0, err
}
