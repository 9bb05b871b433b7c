package wazero

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"strings"
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
// would decode and validate it again, which takes three quarters of the time that a
// large module takes to load: those who compiled it have done so. What its data are
// is told in fewer words, see [merged]. The module has been walked.
//
// Code that is made of a hollow module must never run.
func hollow(source []byte) []byte {
	const header = 8
	parts := [][]byte{source[:header]}
	replace := func(id byte, body []byte) {
		parts = append(parts, binary.AppendUvarint([]byte{id}, uint64(len(body))), body)
	}
	counted := false // functions may name segments of data
	for r := (&reader{rest: source[header:]}); len(r.rest) > 0; {
		before := r.rest
		id := r.byte()
		body := r.take(r.uint32())
		switch id {
		case sectionCode:
			n := (&reader{rest: body}).uint32()
			replace(id, append(binary.AppendUvarint(nil, uint64(n)), strings.Repeat(nothing, int(n))...))
			continue
		case sectionDataCount:
			counted = true
		case sectionData:
			if data := merged(body); data != nil && !counted {
				replace(id, data)
				continue
			}
		}
		parts = append(parts, before[:len(before)-len(r.rest)])
	}
	return bytes.Join(parts, nil)
}

// nothing is a function of three bytes: no locals, unreachable, end.
const nothing = "\x03\x00\x00\x0b"
