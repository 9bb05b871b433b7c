package wazero

import (
	"crypto/sha256"
	"encoding/binary"
	"io"
)

// mark is what code is bound to: the module that it was compiled from, by the
// digest of its original, and the processor's features. wazero looks for its own
// version in the code itself.
func (o *outline) mark(digest [sha256.Size]byte) (mark [sha256.Size]byte) {
	h := sha256.New()
	_, _ = io.WriteString(h, features()) // no hash returns an error
	_, _ = h.Write(digest[:])
	if o.rebuilt {
		_, _ = h.Write(o.source)
	}
	h.Sum(mark[:0])
	return mark
}

// hollow returns a module without what is in its functions: each of them just
// traps. For code that was compiled before, wazero has no use for the rest, but
// would decode and validate it again, which takes four fifths of the time that a
// large module takes to load: those who compiled it have done so. The module has
// been walked.
//
// Code that is made of a hollow module must never run.
func hollow(source []byte) []byte {
	const header = 8
	b := append(make([]byte, 0, len(source)/2), source[:header]...)
	for r := (&reader{rest: source[header:]}); len(r.rest) > 0; {
		before := r.rest
		id := r.byte()
		body := r.take(r.uint32())
		if id != sectionCode {
			b = append(b, before[:len(before)-len(r.rest)]...)
			continue
		}
		n := (&reader{rest: body}).uint32()
		count := binary.AppendUvarint(nil, uint64(n))
		b = append(b, sectionCode)
		b = binary.AppendUvarint(b, uint64(len(count))+uint64(n)*uint64(len(nothing)))
		b = append(b, count...)
		for range n {
			b = append(b, nothing...)
		}
	}
	return b
}

// nothing is a function of three bytes: no locals, unreachable, end.
const nothing = "\x03\x00\x00\x0b"
