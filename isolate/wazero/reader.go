package wazero

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// reader reads the primitives of the WebAssembly binary format. The first fault
// sticks: after it every read returns zero, so that a walk needs to ask for the
// error only where it loops.
type reader struct {
	rest []byte
	err  error
}

var (
	errTruncated = errors.New("unexpected end")
	errTooLong   = errors.New("a number does not fit 32 bits")
)

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.rest = nil
}

func (r *reader) byte() byte {
	if len(r.rest) == 0 {
		r.fail(errTruncated)
		return 0
	}
	b := r.rest[0]
	r.rest = r.rest[1:]
	return b
}

func (r *reader) take(n uint32) []byte {
	if uint64(n) > uint64(len(r.rest)) {
		r.fail(errTruncated)
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

// uint32 reads an unsigned LEB128 number of at most 32 bits.
func (r *reader) uint32() uint32 {
	var value uint32
	for shift := 0; shift < 35; shift += 7 {
		b := r.byte()
		if shift == 28 && b > 0x0f {
			break
		}
		value |= uint32(b&0x7f) << shift
		if b < 0x80 {
			return value
		}
	}
	r.fail(errTooLong)
	return 0
}

// skipNumber skips a LEB128 number of any width up to 64 bits.
func (r *reader) skipNumber() {
	for range 10 {
		if r.byte() < 0x80 {
			return
		}
	}
	r.fail(errors.New("a number does not fit 64 bits"))
}

func (r *reader) name() []byte {
	b := r.take(r.uint32())
	if !utf8.Valid(b) {
		r.fail(errors.New("a name is not UTF-8"))
	}
	return b
}

// count reads the length of a vector, and refuses what the remaining bytes
// cannot hold (each element takes at least size bytes) or a limit forbids. The
// decoder behind this one allocates by that number before it reads on.
func (r *reader) count(what string, size, limit uint32) uint32 {
	n := r.uint32()
	switch {
	case r.err != nil:
		return 0
	case n > limit:
		r.fail(&excess{what: what, count: n, limit: limit})
		return 0
	case uint64(n)*uint64(size) > uint64(len(r.rest)):
		r.fail(fmt.Errorf("%d %s do not fit in %d bytes", n, what, len(r.rest)))
		return 0
	}
	return n
}

// constant skips a constant expression of WebAssembly 2.0.
func (r *reader) constant() {
	for r.err == nil {
		switch op := r.byte(); op {
		case 0x0b: // end
			return
		case 0x41, 0x42, 0x23, 0xd2: // i32.const, i64.const, global.get, ref.func
			r.skipNumber()
		case 0x43: // f32.const
			r.take(4)
		case 0x44: // f64.const
			r.take(8)
		case 0xd0: // ref.null
			r.referenceType()
		case 0xfd: // v128.const
			if r.uint32() != 12 {
				r.fail(errors.New("a constant expression has an instruction that is not constant"))
			}
			r.take(16)
		default:
			r.fail(fmt.Errorf("a constant expression has instruction %#x", op))
		}
	}
}

// excess says that a module has more of something than any may have.
type excess struct {
	what         string
	count, limit uint32
}

func (e *excess) Error() string {
	return fmt.Sprintf("%d %s are more than the %d that a module may have", e.count, e.what, e.limit)
}
