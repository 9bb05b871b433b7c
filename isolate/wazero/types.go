package wazero

import (
	"bytes"
	"fmt"
	"math"
)

// The value types of WebAssembly 2.0, of a byte each.
var (
	numberTypes    = []byte{0x7f, 0x7e, 0x7d, 0x7c, 0x7b} // i32, i64, f32, f64, v128
	referenceTypes = []byte{0x70, 0x6f}                   // funcref, externref
)

// valueTypes reads n types. Others are refused here, since the decoder takes the
// references of later proposals whether they are switched on or not. Those have
// more than a byte: it would read on at another place than this walk, and meet
// counts there that nobody has looked at.
func (r *reader) valueTypes(n uint32) {
	for range n {
		t := r.byte()
		if r.err != nil {
			return
		}
		if bytes.IndexByte(numberTypes, t) < 0 && bytes.IndexByte(referenceTypes, t) < 0 {
			r.fail(fmt.Errorf("%#x is not a value type of WebAssembly 2.0", t))
		}
	}
}

// referenceType reads the type of what a table holds.
func (r *reader) referenceType() byte {
	t := r.byte()
	if r.err == nil && bytes.IndexByte(referenceTypes, t) < 0 {
		r.fail(fmt.Errorf("%#x is not a reference type of WebAssembly 2.0", t))
	}
	return t
}

// limits are the bounds of a memory, in pages, or of a table, in elements.
type limits struct {
	min, max uint32
	bounded  bool // the module declares max
}

func (r *reader) limits() limits {
	flags := r.byte()
	if flags > 1 {
		r.fail(fmt.Errorf("limits have flags %#x: shared and 64-bit memories are not supported", flags))
		return limits{}
	}
	l := limits{min: r.uint32(), max: math.MaxUint32}
	if flags == 1 {
		l.max, l.bounded = r.uint32(), true
	}
	return l
}
