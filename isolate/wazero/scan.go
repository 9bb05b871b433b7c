package wazero

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/wasmpool/wasmpool/abi"
	"github.com/wasmpool/wasmpool/isolate/engine"
)

// Bounds of a module, from the implementation-defined limits of the WebAssembly
// JavaScript Interface; browsers hold modules to them.
const (
	maxTypes      = 1_000_000
	maxFunctions  = 1_000_000
	maxImports    = 1_000_000
	maxExports    = 1_000_000
	maxGlobals    = 1_000_000
	maxSegments   = 100_000
	maxTables     = 100 // theirs is 100,000; each costs an allocation an instance
	maxValues     = 1_000
	maxLocals     = 50_000
	maxAllLocals  = 10_000_000 // of all functions, which the decoder spells out with 8 bytes each; a guess
	maxElements   = 10_000_000
	maxCodeBytes  = 7_654_321
	pageBytes     = 1 << 16
	maxPages      = 1 << 16
	defaultTables = 1_000_000 // engine.Config.TableElements; a guess
)

// Section numbers of the binary format.
const (
	sectionCustom = iota
	sectionType
	sectionImport
	sectionFunction
	sectionTable
	sectionMemory
	sectionGlobal
	sectionExport
	sectionStart
	sectionElement
	sectionCode
	sectionData
	sectionDataCount
)

// kinds are the names of what a module may import or export, by their number.
var kinds = [...]string{"function", "table", "memory", "global", "tag"}

// outline is what has to be known of a module before an engine may decode it,
// and what the engine does not tell afterwards.
type outline struct {
	// source is the module to compile. It differs from the original in the
	// declared maxima of its tables, which are lowered to the limit, and in a
	// malformed name section, which is left out: only names in a stack depend
	// on it, and the specification forbids to refuse a module for it.
	source  []byte
	rebuilt bool // it differs

	others   []string // imports that are no functions, as `table "m"."n"`
	memories []limits
	memory   *limits // the one that is exported as "memory"
	hasStart bool

	tables []table
}

type table struct {
	element byte
	limits
}

// scan walks a module. The decoder that compiles it trusts the counts in it: a
// section of 2^32-1 elements in 15 bytes ends the process with Go's out of
// memory, which nothing can recover. So what it would allocate by is compared
// here with what is really there.
func scan(source []byte, config engine.Config) (*outline, error) {
	o := new(outline)
	if err := o.header(source); err != nil {
		return nil, err
	}
	var rebuilt []byte // all sections so far, once they differ from those in source
	for r := (&reader{rest: source[8:]}); len(r.rest) > 0; {
		before := r.rest
		unchanged := source[:len(source)-len(before)]
		id := r.byte()
		body := r.take(r.uint32())
		if r.err != nil {
			return nil, invalid("section %d: %v", id, r.err)
		}
		whole := before[:len(before)-len(r.rest)]
		s := &reader{rest: body}
		o.section(id, s)
		switch {
		case id == sectionCustom && s.err != nil:
			if rebuilt == nil {
				rebuilt = bytes.Clone(unchanged)
			}
			continue
		case s.err != nil:
			if tooMany := new(excess); errors.As(s.err, &tooMany) {
				return nil, &engine.InvalidError{Fault: abi.TooLarge, Message: tooMany.Error()}
			}
			return nil, invalid("section %d: %v", id, s.err)
		case id == sectionTable:
			lowered, err := o.lowerTables(config.TableElements)
			if err != nil {
				return nil, err
			}
			if lowered != nil {
				if rebuilt == nil {
					rebuilt = bytes.Clone(unchanged)
				}
				rebuilt = append(rebuilt, sectionTable)
				rebuilt = binary.AppendUvarint(rebuilt, uint64(len(lowered)))
				rebuilt = append(rebuilt, lowered...)
				continue
			}
		}
		if rebuilt != nil {
			rebuilt = append(rebuilt, whole...)
		}
	}
	if err := o.checkMemory(config.MemoryBytes); err != nil {
		return nil, err
	}
	o.source = source
	if rebuilt != nil {
		o.source, o.rebuilt = rebuilt, true
	}
	return o, nil
}

func invalid(format string, args ...any) error {
	return &engine.InvalidError{Fault: abi.NotWasm, Message: fmt.Sprintf(format, args...)}
}

func (o *outline) header(source []byte) error {
	switch {
	case len(source) < 8 || !bytes.Equal(source[:4], []byte("\x00asm")):
		return invalid("it does not begin with the magic number of WebAssembly")
	case bytes.Equal(source[4:8], []byte{0x0d, 0, 1, 0}):
		return invalid("it is a component; a core module is needed, built for WASI preview 1 (wasip1)")
	case !bytes.Equal(source[4:8], []byte{1, 0, 0, 0}):
		return invalid("its binary version is %#x, 1 is supported", source[4:8])
	}
	return nil
}

func (o *outline) section(id byte, r *reader) {
	switch id {
	case sectionCustom:
		if string(r.name()) == "name" {
			walkNames(r)
		}
	case sectionType:
		for range r.count("types", 3, maxTypes) {
			if form := r.byte(); r.err == nil && form != 0x60 {
				r.fail(fmt.Errorf("a type has form %#x", form))
			}
			r.valueTypes(r.count("parameters", 1, maxValues))
			r.valueTypes(r.count("results", 1, maxValues))
		}
	case sectionImport:
		for range r.count("imports", 4, maxImports) {
			o.importOf(r.name(), r.name(), r)
		}
	case sectionFunction:
		r.count("functions", 1, maxFunctions)
	case sectionTable:
		for range r.count("tables", 3, maxTables) {
			o.tables = append(o.tables, table{element: r.referenceType(), limits: r.limits()})
		}
	case sectionMemory:
		for range r.count("memories", 2, 1) {
			o.memories = append(o.memories, r.limits())
		}
	case sectionGlobal:
		for range r.count("globals", 4, maxGlobals) {
			walkGlobal(r)
		}
	case sectionExport:
		for range r.count("exports", 3, maxExports) {
			name, kind, index := r.name(), r.byte(), r.uint32()
			if kind == 2 && string(name) == abi.ExportMemory && int(index) < len(o.memories) {
				o.memory = &o.memories[index]
			}
		}
	case sectionStart:
		o.hasStart = true
	case sectionElement:
		for range r.count("element segments", 3, maxElements) {
			walkElements(r)
		}
	case sectionCode:
		walkCodes(r)
	case sectionData:
		for range r.count("data segments", 2, maxSegments) {
			walkData(r)
		}
	}
}

func (o *outline) importOf(module, name []byte, r *reader) {
	kind := r.byte()
	switch kind {
	case 0:
		r.uint32()
		return
	case 1:
		r.referenceType()
		r.limits()
	case 2:
		o.memories = append(o.memories, r.limits())
	case 3:
		r.valueTypes(1)
		r.byte() // whether it is mutable
	case 4:
		r.byte()
		r.uint32()
	default:
		r.fail(fmt.Errorf("an import has kind %d", kind))
		return
	}
	o.others = append(o.others, fmt.Sprintf("%s %s", kinds[kind], importName(string(module), string(name))))
}

// checkMemory compares what the module wants at least with what it may have.
func (o *outline) checkMemory(limit int64) error {
	for _, m := range o.memories {
		if m.min > maxPages || m.bounded && (m.max > maxPages || m.max < m.min) {
			return invalid("a memory of %d to %d pages is impossible", m.min, m.max)
		}
		if bytes := int64(m.min) * pageBytes; limit > 0 && bytes > limit {
			return &engine.InvalidError{Fault: abi.TooLarge, Message: fmt.Sprintf(
				"its memory begins with %d bytes; the limit is %d", bytes, limit)}
		}
	}
	return nil
}

// lowerTables returns the table section with maxima that keep all tables
// together within limit, or nil when they are so already. The engine has no
// limit of its own: table.grow in a loop reached 14 GB.
func (o *outline) lowerTables(limit int64) ([]byte, error) {
	if limit <= 0 {
		limit = defaultTables
	}
	var least, most int64
	for _, t := range o.tables {
		if t.bounded && t.max < t.min {
			return nil, invalid("a table of %d to %d elements is impossible", t.min, t.max)
		}
		least += int64(t.min)
		most += int64(t.max)
	}
	switch {
	case least > limit:
		return nil, &engine.InvalidError{Fault: abi.TooLarge, Message: fmt.Sprintf(
			"its tables begin with %d elements; the limit is %d", least, limit)}
	case most <= limit:
		return nil, nil
	}
	share := (limit - least) / int64(len(o.tables))
	section := binary.AppendUvarint(nil, uint64(len(o.tables)))
	for _, t := range o.tables {
		section = append(section, t.element, 1)
		section = binary.AppendUvarint(section, uint64(t.min))
		section = binary.AppendUvarint(section, uint64(min(int64(t.max), int64(t.min)+share)))
	}
	return section, nil
}
