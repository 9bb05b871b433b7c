package wazero

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// maxGap is how many zeros may be written between two segments of data: so few
// that they lie in pages which the segments are in themselves.
const maxGap = 4<<10 - 1

// merged returns a section of data with fewer segments that makes the same of a
// memory which is all zeros, or nil where it cannot tell. Go's linker leaves out
// every eight zeros: 4 MB have 46,000 segments, each of which takes wazero an
// allocation or two, and the memory for them. No function may name a segment.
//
// Only segments are merged that lie at constant addresses, each behind the one
// before it; only where none lies in what becomes of others; and only as long as
// that makes them at most twice as large.
func merged(body []byte) []byte {
	var (
		runs   []run
		filled uint64 // with zeros
	)
	constant := eachSegment(body, func(at uint64, content []byte) {
		if len(runs) == 0 || at < runs[len(runs)-1].end || at > runs[len(runs)-1].end+maxGap {
			runs = append(runs, run{start: at, end: at})
		}
		last := &runs[len(runs)-1]
		filled += at - last.end
		last.end = at + uint64(len(content))
		last.segments++
	})
	if !constant || filled > uint64(len(body)) || overlap(runs) {
		return nil
	}
	size := binary.MaxVarintLen32
	for _, r := range runs {
		size += maxSegmentHead + int(r.end-r.start)
	}
	out := binary.AppendUvarint(make([]byte, 0, size), uint64(len(runs)))
	var (
		left int    // segments of the run
		end  uint64 // of what is written of it
	)
	eachSegment(body, func(at uint64, content []byte) {
		if left == 0 {
			out = append(out, 0, opI32Const)
			out = appendInt32(out, int32(uint32(at)))
			out = append(out, opEnd)
			out = binary.AppendUvarint(out, runs[0].end-at)
			left, end, runs = runs[0].segments, at, runs[1:]
		}
		out = append(out, zeros[:at-end]...)
		out = append(out, content...)
		left, end = left-1, at+uint64(len(content))
	})
	return out
}

// run is where segments lie that are to be one.
type run struct {
	start, end uint64
	segments   int
}

// overlap says whether runs have bytes in common.
func overlap(runs []run) bool {
	runs = slices.Clone(runs)
	slices.SortFunc(runs, func(a, b run) int { return cmp.Compare(a.start, b.start) })
	for i := range runs[min(1, len(runs)):] {
		if runs[i+1].start < runs[i].end {
			return true
		}
	}
	return false
}

// maxSegmentHead is the most that comes before the content of a segment at a
// constant address.
const maxSegmentHead = 3 + 2*binary.MaxVarintLen32

// eachSegment gives f the segments of a section of data, as long as they are at
// constant addresses, and returns whether all are.
func eachSegment(body []byte, f func(at uint64, content []byte)) bool {
	r := &reader{rest: body}
	for range r.uint32() {
		if r.uint32() != 0 || r.byte() != opI32Const {
			return false
		}
		at := uint64(uint32(r.int32()))
		if r.byte() != opEnd {
			return false
		}
		content := r.take(r.uint32())
		if r.err != nil {
			return false
		}
		f(at, content)
	}
	return true
}

var zeros [maxGap]byte

const (
	opI32Const = 0x41
	opEnd      = 0x0b
)

// int32 reads a signed LEB128 number of 32 bits.
func (r *reader) int32() int32 {
	var value int64
	for shift := 0; shift < 35; shift += 7 {
		b := r.byte()
		value |= int64(b&0x7f) << shift
		if b < 0x80 {
			if b&0x40 != 0 {
				value |= -1 << (shift + 7)
			}
			return int32(value)
		}
	}
	r.fail(errTooLong)
	return 0
}

func appendInt32(b []byte, n int32) []byte {
	for {
		low := byte(n & 0x7f)
		n >>= 7
		if n == 0 && low&0x40 == 0 || n == -1 && low&0x40 != 0 {
			return append(b, low)
		}
		b = append(b, low|0x80)
	}
}
