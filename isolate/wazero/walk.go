package wazero

import (
	"errors"
	"fmt"
)

// walkElements walks one element segment.
func walkElements(r *reader) {
	flags := r.uint32()
	if flags > 7 {
		r.fail(fmt.Errorf("an element segment has flags %#x", flags))
		return
	}
	active, explicit, expressions := flags&1 == 0, flags&2 != 0, flags&4 != 0
	if active {
		if explicit {
			r.uint32() // the table
		}
		r.constant()
	}
	switch {
	case active && !explicit:
	case expressions:
		r.referenceType()
	default:
		r.byte() // the elements' kind: functions
	}
	if !expressions {
		for range r.count("elements", 1, maxElements) {
			r.uint32()
		}
		return
	}
	for range r.count("elements", 2, maxElements) {
		r.constant()
	}
}

// walkGlobal walks one global.
func walkGlobal(r *reader) {
	r.valueTypes(1)
	r.byte() // whether it is mutable
	r.constant()
}

// walkCodes walks the functions. Ten bytes make one with 50,000 locals, so those
// of all are bounded too: 70 KB of such functions took 4 GB.
func walkCodes(r *reader) {
	var locals uint64
	for range r.count("functions", 3, maxFunctions) {
		locals += walkCode(r)
		if locals > maxAllLocals {
			r.fail(&excess{what: "locals of all functions", count: uint32(locals), limit: maxAllLocals})
		}
		if r.err != nil {
			return
		}
	}
}

// walkCode walks the locals of one function, and says how many there are; its
// instructions are the compiler's.
func walkCode(r *reader) (locals uint64) {
	size := r.uint32()
	if size > maxCodeBytes {
		r.fail(&excess{what: "bytes of a function", count: size, limit: maxCodeBytes})
		return 0
	}
	body := &reader{rest: r.take(size)}
	for range body.count("declarations of locals", 2, maxLocals) {
		locals += uint64(body.uint32())
		body.valueTypes(1)
		if locals > maxLocals {
			body.fail(&excess{what: "locals", count: uint32(min(locals, 1<<32-1)), limit: maxLocals})
		}
		if body.err != nil {
			break
		}
	}
	if body.err != nil {
		r.fail(body.err)
	}
	return locals
}

// walkData walks one data segment.
func walkData(r *reader) {
	switch flags := r.uint32(); flags {
	case 0:
		r.constant()
	case 1:
	case 2:
		r.uint32() // the memory
		r.constant()
	default:
		r.fail(fmt.Errorf("a data segment has flags %#x", flags))
		return
	}
	r.take(r.uint32())
}

// walkNames walks the name section: the module's name, those of functions, and
// those of locals. It is stricter than the specification, which says nothing of
// subsections that do not fill their size.
func walkNames(r *reader) {
	for last := -1; len(r.rest) > 0 && r.err == nil; {
		id := int(r.byte())
		s := &reader{rest: r.take(r.uint32())}
		if id <= last {
			s.fail(errors.New("subsections are out of order"))
		}
		last = id
		switch id {
		case 0:
			s.name()
		case 1:
			walkNameMap(s)
		case 2:
			for range s.count("functions with names of locals", 2, maxFunctions) {
				s.uint32()
				walkNameMap(s)
			}
		default:
			s.rest = nil
		}
		if s.err == nil && len(s.rest) > 0 {
			s.fail(errors.New("a subsection is longer than its names"))
		}
		if s.err != nil {
			r.fail(s.err)
		}
	}
}

func walkNameMap(r *reader) {
	for range r.count("names", 2, maxFunctions) {
		r.uint32()
		r.name()
	}
}
