package wazero

import (
	"bytes"
	"errors"
	"runtime"
	"testing"

	wt "github.com/wasmpool/wasmpool/internal/wasmtest"
	"github.com/wasmpool/wasmpool/isolate/engine"
	"github.com/wasmpool/wasmpool/testdata/wasm"
)

// damaged are the modules that FuzzLoadOfADamagedModule begins with: between
// them they have every section.
func damaged() [][]byte {
	full := wt.New()
	f := full.Import("wasmpool", "output", "i32 i32 ->")
	full.Memory(1).Table(3)
	full.Data(8, "data")
	full.Elements(1, full.Func("f", wt.Call(f, wt.I32(8), wt.GetGlobal(full.Global(4))), wt.I32(0)))
	full.Start(full.FuncOf("", "->"))
	others := wt.New()
	others.ImportAs("m", "t", 1, []byte{0x70, 0, 1})
	others.ImportAs("m", "m", 2, []byte{1, 1, 2})
	others.ImportAs("m", "g", 3, []byte{0x7e, 1})
	segments := wt.Raw(
		wt.Section(wt.TypeSection, wt.Vector([]byte{0x60, 0, 0}, []byte{0x60, 2, 0x7b, 0x6f, 1, 0x7c})),
		wt.Section(wt.FunctionSection, wt.Vector([]byte{0})),
		wt.Section(wt.TableSection, wt.Vector([]byte{0x70, 1, 2, 4}, []byte{0x6f, 0, 1})),
		wt.Section(wt.MemorySection, wt.Vector([]byte{1, 1, 2})),
		wt.Section(wt.ElementSection, wt.Vector(
			[]byte{1, 0, 1, 0},
			[]byte{5, 0x70, 2, 0xd0, 0x70, 0x0b, 0xd2, 0, 0x0b},
			[]byte{6, 1, 0x41, 0, 0x0b, 0x6f, 1, 0xd0, 0x6f, 0x0b})),
		wt.Section(wt.DataCountSection, wt.U32(2)),
		wt.Section(wt.CodeSection, wt.Vector(wt.Text("\x02\x01\x7b\x02\x6f\x0b"))),
		wt.Section(wt.DataSection, wt.Vector([]byte("\x01\x04data"), []byte("\x02\x00\x41\x00\x0b\x01x"))),
	)
	return [][]byte{full.Bytes(), others.Bytes(), segments, wasm.Module("traps"), wasm.Module("dispatch")}
}

// FuzzLoadOfADamagedModule changes a section of a module, whose size stays
// right, so that the change reaches the decoder of that section. Whatever the
// walk lets through must be loaded or refused, and must not take far more memory
// than the module has bytes.
func FuzzLoadOfADamagedModule(f *testing.F) {
	modules := damaged()
	huge := wt.U32(1<<32 - 2)
	for which, module := range modules {
		for section := range sections(module) {
			f.Add(uint8(which), uint8(section), uint16(0), uint16(1), huge)
			f.Add(uint8(which), uint8(section), uint16(1), uint16(0), append([]byte{0x63, 0x70}, huge...))
			f.Add(uint8(which), uint8(section), uint16(1), uint16(1), []byte{0x40, 0, 0x70, 0})
		}
	}
	f.Fuzz(func(t *testing.T, which, section uint8, at, cut uint16, insert []byte) {
		source := damage(modules[int(which)%len(modules)], int(section), int(at), int(cut), insert)
		before := allocated()
		e := New()
		_, err := e.Load(t.Context(), source, engine.Config{MemoryBytes: 1 << 20, TableElements: 1000})
		var invalid *engine.InvalidError
		if err != nil && !errors.As(err, &invalid) {
			t.Errorf("%x: got %v (%T)", source, err, err)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		// The compiler itself takes some megabytes, and 8 bytes for each local.
		const most = 32<<20 + 8*maxAllLocals
		if took := allocated() - before; took > most {
			t.Errorf("%x: loading %d bytes took %d MiB", source, len(source), took>>20)
		}
	})
}

func allocated() uint64 {
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.TotalAlloc
}

// section is one of a module that is well formed.
type section struct {
	id   byte
	body []byte
}

func sections(module []byte) (all []section) {
	for r := (&reader{rest: module[len(wt.Header):]}); len(r.rest) > 0; {
		all = append(all, section{r.byte(), r.take(r.uint32())})
	}
	return all
}

// damage takes some bytes out of a section, and puts others in their place.
func damage(module []byte, which, at, cut int, insert []byte) []byte {
	all := sections(module)
	s := &all[which%len(all)]
	at = min(at, len(s.body))
	cut = min(cut, len(s.body)-at)
	s.body = bytes.Join([][]byte{s.body[:at], insert, s.body[at+cut:]}, nil)
	var rebuilt [][]byte
	for _, s := range all {
		rebuilt = append(rebuilt, wt.Section(s.id, s.body))
	}
	return wt.Raw(rebuilt...)
}
