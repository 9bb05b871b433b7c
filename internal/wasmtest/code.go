package wasmtest

import "slices"

// Code is a piece of the body of a function. Operands come first, as the
// arguments of what uses them: Call(f, I32(1)).
type Code []byte

// Counters is how many locals of type i32 every function has, from 0 on.
const Counters = 4

func (c Code) then(more ...Code) Code { return slices.Concat(append([]Code{c}, more...)...) }

// Op is an instruction without immediates, after its operands.
func Op(opcode byte, operands ...Code) Code {
	return append(slices.Concat(operands...), opcode)
}

// I32 is a constant.
func I32(n int32) Code { return append(Code{0x41}, signed(int64(n))...) }

// I64 is a constant.
func I64(n int64) Code { return append(Code{0x42}, signed(n)...) }

// Unreachable traps.
func Unreachable() Code { return Op(0x00) }

// Return ends the function with a result.
func Return(result Code) Code { return Op(0x0f, result) }

// Drop forgets a result.
func Drop(code Code) Code { return Op(0x1a, code) }

// Add is a + b.
func Add(a, b Code) Code { return Op(0x6a, a, b) }

// Sub is a - b.
func Sub(a, b Code) Code { return Op(0x6b, a, b) }

// Ne is 1 if a is not b, else 0.
func Ne(a, b Code) Code { return Op(0x47, a, b) }

// Or is the bits of both.
func Or(a, b Code) Code { return Op(0x72, a, b) }

// Call calls a function by its index.
func Call(function uint32, arguments ...Code) Code {
	return append(Op(0x10, arguments...), U32(function)...)
}

// Get is the value of a local.
func Get(local uint32) Code { return append(Code{0x20}, U32(local)...) }

// Set gives a local its value.
func Set(local uint32, value Code) Code { return append(Op(0x21, value), U32(local)...) }

// GetGlobal is the value of a global.
func GetGlobal(global uint32) Code { return append(Code{0x23}, U32(global)...) }

// SetGlobal gives a global its value.
func SetGlobal(global uint32, value Code) Code { return append(Op(0x24, value), U32(global)...) }

// Load reads the 32 bits at an address.
func Load(at Code) Code { return append(Op(0x28, at), 2, 0) }

// Store writes 32 bits to an address.
func Store(at, value Code) Code { return append(Op(0x36, at, value), 2, 0) }

// Br jumps to the end of a block, or to the beginning of a loop, around it.
func Br(depth uint32) Code { return append(Code{0x0c}, U32(depth)...) }

// BrIf is Br on a condition.
func BrIf(depth uint32, condition Code) Code { return append(Op(0x0d, condition), U32(depth)...) }

// Loop is a loop without parameters and results, which ends where Br does not
// begin it again.
func Loop(body ...Code) Code { return Code{0x03, 0x40}.then(body...).then(Code{0x0b}) }

// If runs code on a condition.
func If(condition Code, body ...Code) Code {
	return condition.then(Code{0x04, 0x40}).then(body...).then(Code{0x0b})
}

// Forever is a loop that nothing in it ends.
func Forever(body ...Code) Code { return Loop(append(body, Br(0))...) }

// Repeat runs code n times, and counts in a local.
func Repeat(local uint32, n int32, body ...Code) Code {
	count := Set(local, Sub(Get(local), I32(1)))
	return Set(local, I32(n)).then(Loop(append(body, count, BrIf(0, Get(local)))...))
}

// MemorySize is the size of the memory in pages.
func MemorySize() Code { return Code{0x3f, 0} }

// MemoryGrow takes more pages; it is how many there were, or -1.
func MemoryGrow(pages Code) Code { return append(Op(0x40, pages), 0) }

// MemoryFill writes the same byte n times.
func MemoryFill(at, value, n Code) Code { return slices.Concat(at, value, n, Code{0xfc, 11, 0}) }

// TableGrow makes the table larger by n elements that are null; it is how many
// there were, or -1.
func TableGrow(n Code) Code { return slices.Concat(Code{0xd0, 0x70}, n, Code{0xfc, 15, 0}) }

// TableSize is the size of the table in elements.
func TableSize() Code { return Code{0xfc, 16, 0} }
