package wasmtest

import (
	"bytes"
	"encoding/binary"
)

// Header is what every module begins with: the magic number, and version 1.
const Header = "\x00asm\x01\x00\x00\x00"

// The numbers of the sections.
const (
	CustomSection byte = iota
	TypeSection
	ImportSection
	FunctionSection
	TableSection
	MemorySection
	GlobalSection
	ExportSection
	StartSection
	ElementSection
	CodeSection
	DataSection
	DataCountSection
)

// Raw is a module of any sections.
func Raw(sections ...[]byte) []byte {
	return append([]byte(Header), bytes.Join(sections, nil)...)
}

// Section is a section with what is in it, and its size before it.
func Section(id byte, content ...[]byte) []byte {
	return append([]byte{id}, sized(bytes.Join(content, nil))...)
}

// Vector is the number of some elements, and the elements.
func Vector(elements ...[]byte) []byte {
	return append(U32(uint32(len(elements))), bytes.Join(elements, nil)...)
}

// Times is a vector of n elements that are all the same.
func Times(n int, element []byte) []byte {
	return append(U32(uint32(n)), bytes.Repeat(element, n)...)
}

// Text is a string with its length before it.
func Text(s string) []byte { return sized([]byte(s)) }

// U32 is an unsigned number in LEB128.
func U32(n uint32) []byte { return binary.AppendUvarint(nil, uint64(n)) }

// signed is a signed number in LEB128.
func signed(n int64) []byte {
	var b []byte
	for {
		low := byte(n & 0x7f)
		n >>= 7
		if sign := low & 0x40; n == 0 && sign == 0 || n == -1 && sign != 0 {
			return append(b, low)
		}
		b = append(b, low|0x80)
	}
}

func sized(content []byte) []byte {
	return append(U32(uint32(len(content))), content...)
}
