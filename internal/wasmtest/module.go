package wasmtest

import (
	"fmt"
	"slices"
	"strings"
)

// Module is a module that is being written.
type Module struct {
	types, imports, functions, tables, memories, globals, exports, codes, data [][]byte

	start    []byte // the start section, or nil
	elements [][]byte
	imported uint32 // functions
}

// New returns a module with nothing in it.
func New() *Module { return new(Module) }

// Worker returns a module with the memory that a worker has to export, of some
// pages.
func Worker(pages uint32) *Module { return New().Memory(pages) }

// Import imports a function and returns its index. Imports come before
// functions.
func (m *Module) Import(module, name, signature string) uint32 {
	if len(m.functions) > 0 {
		panic("bug: wasmtest: an import after a function")
	}
	m.ImportAs(module, name, 0, m.typeOf(signature))
	m.imported++
	return m.imported - 1
}

// ImportAs imports what is no function, by the number of its kind and its type.
func (m *Module) ImportAs(module, name string, kind byte, of []byte) {
	m.imports = append(m.imports, slices.Concat(Text(module), Text(name), []byte{kind}, of))
}

// Func adds a function of type () -> i32, which is what calls of a worker are,
// and exports it unless the name is empty.
func (m *Module) Func(name string, body ...Code) uint32 { return m.FuncOf(name, "-> i32", body...) }

// FuncOf adds a function of any type.
func (m *Module) FuncOf(name, signature string, body ...Code) uint32 {
	locals := Vector(append(U32(Counters), valueTypes["i32"]))
	m.functions = append(m.functions, m.typeOf(signature))
	m.codes = append(m.codes, sized(slices.Concat(locals, slices.Concat(body...), []byte{0x0b})))
	index := m.imported + uint32(len(m.functions)) - 1
	if name != "" {
		m.Export(name, 0, index)
	}
	return index
}

// Export exports anything, by the number of its kind and its index.
func (m *Module) Export(name string, kind byte, index uint32) {
	m.exports = append(m.exports, slices.Concat(Text(name), []byte{kind}, U32(index)))
}

// Start makes a function the start section.
func (m *Module) Start(function uint32) { m.start = U32(function) }

// Memory adds a memory of at least some pages, and exports it.
func (m *Module) Memory(pages uint32) *Module {
	m.memories = append(m.memories, append([]byte{0}, U32(pages)...))
	m.Export("memory", 2, 0)
	return m
}

// Table adds a table of function references with at least some elements.
func (m *Module) Table(elements uint32) {
	m.tables = append(m.tables, append([]byte{0x70, 0}, U32(elements)...))
}

// Global adds a variable of type i32 that begins with a value, and returns its
// index.
func (m *Module) Global(value int32) uint32 {
	m.globals = append(m.globals, slices.Concat([]byte{valueTypes["i32"], 1}, I32(value), []byte{0x0b}))
	return uint32(len(m.globals)) - 1
}

// Data puts a text into the memory.
func (m *Module) Data(at int32, text string) {
	m.data = append(m.data, slices.Concat([]byte{0}, I32(at), []byte{0x0b}, Text(text)))
}

// Elements puts functions into the table.
func (m *Module) Elements(at int32, functions ...uint32) {
	indices := U32(uint32(len(functions)))
	for _, f := range functions {
		indices = append(indices, U32(f)...)
	}
	m.elements = append(m.elements, slices.Concat([]byte{0}, I32(at), []byte{0x0b}, indices))
}

// Bytes is the module.
func (m *Module) Bytes() []byte {
	var sections [][]byte
	for _, s := range []struct {
		id      byte
		entries [][]byte
	}{
		{TypeSection, m.types},
		{ImportSection, m.imports},
		{FunctionSection, m.functions},
		{TableSection, m.tables},
		{MemorySection, m.memories},
		{GlobalSection, m.globals},
		{ExportSection, m.exports},
		{StartSection, nil},
		{ElementSection, m.elements},
		{CodeSection, m.codes},
		{DataSection, m.data},
	} {
		switch {
		case s.id == StartSection && m.start != nil:
			sections = append(sections, Section(StartSection, m.start))
		case len(s.entries) > 0:
			sections = append(sections, Section(s.id, Vector(s.entries...)))
		}
	}
	return Raw(sections...)
}

var valueTypes = map[string]byte{"i32": 0x7f, "i64": 0x7e, "f32": 0x7d, "f64": 0x7c}

// typeOf returns the index of a type, written as "i32 i64 -> i32".
func (m *Module) typeOf(signature string) []byte {
	params, results, ok := strings.Cut(signature, "->")
	if !ok {
		panic(fmt.Sprintf("bug: wasmtest: signature %q has no arrow", signature))
	}
	t := slices.Concat([]byte{0x60}, typesOf(params), typesOf(results))
	for i, have := range m.types {
		if slices.Equal(have, t) {
			return U32(uint32(i))
		}
	}
	m.types = append(m.types, t)
	return U32(uint32(len(m.types)) - 1)
}

func typesOf(names string) []byte {
	var types []byte
	for _, name := range strings.Fields(names) {
		t, ok := valueTypes[name]
		if !ok {
			panic(fmt.Sprintf("bug: wasmtest: there is no type %q", name))
		}
		types = append(types, t)
	}
	return sized(types)
}
