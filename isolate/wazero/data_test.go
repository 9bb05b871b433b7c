package wazero

import (
	"bytes"
	"encoding/hex"
	"math"
	"strings"
	"testing"

	wt "github.com/wasmpool/wasmpool/internal/wasmtest"
)

// segment is one of data at a constant address.
func segment(at int32, content string) []byte {
	b := append([]byte{0, opI32Const}, appendInt32(nil, at)...)
	b = append(b, opEnd, byte(len(content)))
	return append(b, content...)
}

func TestDataOfOnePlaceAreOneSegment(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name           string
		segments, want [][]byte // nil: it cannot be told
	}{
		{"none", [][]byte{}, [][]byte{}},
		{"one", [][]byte{segment(8, "a")}, [][]byte{segment(8, "a")}},
		{"at zero", [][]byte{segment(0, "a"), segment(1, "b")}, [][]byte{segment(0, "ab")}},
		{"neighbours", [][]byte{segment(8, "ab"), segment(10, "c")}, [][]byte{segment(8, "abc")}},
		{"with zeros between them", [][]byte{segment(8, "a"), segment(12, "b"), segment(14, "c")}, [][]byte{segment(8, "a\x00\x00\x00b\x00c")}},
		{"an empty one", [][]byte{segment(8, ""), segment(8, "a")}, [][]byte{segment(8, "a")}},
		{"pages between them", [][]byte{segment(8, "a"), segment(9+maxGap+1, "b")}, [][]byte{segment(8, "a"), segment(9+maxGap+1, "b")}},
		{"in the upper half", [][]byte{segment(math.MinInt32, "a"), segment(math.MinInt32+1, "b")}, [][]byte{segment(math.MinInt32, "ab")}},
		{"at the end of all addresses", [][]byte{segment(-2, "a"), segment(-1, "bc")}, [][]byte{segment(-2, "abc")}},
		{"far apart", [][]byte{segment(8, "a"), segment(1000, "b"), segment(2000, "c")}, nil},
		{"one within another", [][]byte{segment(8, "abc"), segment(9, "x")}, nil},
		{"in another order", [][]byte{segment(9, "b"), segment(8, "a")}, [][]byte{segment(9, "b"), segment(8, "a")}},
		{"in two places by turns", [][]byte{segment(9, "b"), segment(10, "c"), segment(4, "x"), segment(6, "y")}, [][]byte{segment(9, "bc"), segment(4, "x\x00y")}},
		{"one between others", [][]byte{segment(4, "a"), segment(8, "b"), segment(6, "x")}, nil},
		{"one over the end of another", [][]byte{segment(8, "abc"), segment(6, "xyz")}, nil},
		{"passive", [][]byte{segment(8, "a"), []byte("\x01\x01b")}, nil},
		{"of a memory by number", [][]byte{[]byte("\x02\x00\x41\x00\x0b\x01x")}, nil},
		{"at a global's address", [][]byte{[]byte("\x00\x23\x00\x0b\x01x")}, nil},
		{"at a sum", [][]byte{[]byte("\x00\x41\x00\x41\x00\x6a\x0b\x01x")}, nil},
	} {
		var want []byte
		if row.want != nil {
			want = wt.Vector(row.want...)
		}
		if got := merged(wt.Vector(row.segments...)); !bytes.Equal(got, want) || (got == nil) != (want == nil) {
			t.Errorf("%s: got\n%s, want\n%s", row.name, hex.Dump(got), hex.Dump(want))
		}
	}
}

func TestDataThatFunctionsMayNameStayAsTheyAre(t *testing.T) {
	t.Parallel()
	data := wt.Section(wt.DataSection, wt.Vector(segment(8, "a"), segment(9, "b")))
	for count, want := range map[string]bool{"": false, string(wt.Section(wt.DataCountSection, wt.U32(2))): true} {
		if got := bytes.HasSuffix(hollow(wt.Raw([]byte(count), data)), data); got != want {
			t.Errorf("with a count %x: as they were: %v, want %v", count, got, want)
		}
	}
}

func TestNumbersAreReadAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	for _, n := range []int32{0, 1, -1, 63, 64, -64, -65, 1 << 20, math.MaxInt32, math.MinInt32} {
		b := appendInt32(nil, n)
		r := &reader{rest: b}
		if got := r.int32(); got != n || r.err != nil || len(r.rest) > 0 {
			t.Errorf("%d, written as %x, was read as %d, %v", n, b, got, r.err)
		}
	}
	if r := (&reader{rest: []byte(strings.Repeat("\x80", 5) + "\x00")}); r.int32() != 0 || r.err == nil {
		t.Error("a number of six bytes was read")
	}
}
