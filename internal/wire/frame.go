package wire

import (
	"encoding/binary"
	"fmt"
)

const (
	headBytes   = 4 // the length of a frame's length
	numberBytes = 8 // the body of a frame that says one number
)

// Frame is one frame, its body a view into the buffer it was found in.
type Frame struct {
	Kind  Kind
	Body  []byte
	Owned []byte // the memory of the body, where it is the one's who takes the frame; else nil
}

// frameOf is the frame in all of b.
func frameOf(b []byte) Frame {
	return Frame{Kind: Kind(b[headBytes]), Body: b[headBytes+1 : len(b) : len(b)]}
}

// Split finds the frame that b begins with, and returns it with its length in
// bytes. A length of zero without an error means that b holds only a part of
// the frame. An error means that no further byte can make sense of b.
func Split(b []byte, limits *Limits) (f Frame, n int, err error) {
	size, err := frameBytes(b, limits)
	if err != nil || size == 0 || int64(len(b)) < size {
		return Frame{}, 0, err
	}
	return frameOf(b[:size]), int(size), nil
}

// frameBytes returns the length of the frame that b begins with, as announced
// and found acceptable, or zero while b is too short to tell.
func frameBytes(b []byte, limits *Limits) (int64, error) {
	if len(b) < headBytes {
		return 0, nil
	}
	length := int64(binary.LittleEndian.Uint32(b))
	if length == 0 {
		return 0, fmt.Errorf("wire: frame of 0 bytes, want at least 1 for its kind")
	}
	if len(b) == headBytes {
		return 0, nil
	}
	kind := Kind(b[headBytes])
	if int(kind) >= len(limits) || limits[kind] == 0 {
		return 0, fmt.Errorf("wire: frame of %v is not accepted here", kind)
	}
	if length-1 > limits[kind] {
		return 0, fmt.Errorf("wire: %v frame of %d bytes exceeds the maximum of %d bytes", kind, length-1, limits[kind])
	}
	return headBytes + length, nil
}

// begin appends the head of a frame whose body has n bytes.
func begin(dst []byte, kind Kind, n int) []byte {
	if int64(n) > callHead+MaxNameBytes+MaxPayloadBytes {
		panic(fmt.Sprintf("bug: wire: %v frame of %d bytes", kind, n))
	}
	dst = binary.LittleEndian.AppendUint32(dst, uint32(n)+1)
	return append(dst, byte(kind))
}

// appendNumber appends a frame that says one number: u64.
func appendNumber(dst []byte, kind Kind, n uint64) []byte {
	return binary.LittleEndian.AppendUint64(begin(dst, kind, numberBytes), n)
}

// parseNumber reads the body of one.
func parseNumber[M ~uint64](kind Kind, body []byte) (M, error) {
	if len(body) != numberBytes {
		return 0, errLength(kind, body, numberBytes)
	}
	return M(binary.LittleEndian.Uint64(body)), nil
}

// errShort says that a body ends before its fixed fields do.
func errShort(kind Kind, body []byte, want int) error {
	return fmt.Errorf("wire: %v body of %d bytes, want at least %d", kind, len(body), want)
}

// errLength says that a body of fixed length has another.
func errLength(kind Kind, body []byte, want int) error {
	return fmt.Errorf("wire: %v body of %d bytes, want %d", kind, len(body), want)
}

// boolean is 1 or 0.
func boolean(b bool) byte {
	if b {
		return 1
	}
	return 0
}
