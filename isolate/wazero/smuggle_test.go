package wazero

import (
	"errors"
	"testing"

	"github.com/wasmpool/wasmpool/abi"
	"github.com/wasmpool/wasmpool/internal/wasmtest"
	"github.com/wasmpool/wasmpool/isolate/engine"
)

// The decoder reads references of two bytes, which later proposals have, where
// the walk reads a byte. Behind each of these lies a count that the walk would
// take for something else.
func TestScanIsNotLedPastACount(t *testing.T) {
	t.Parallel()
	const null, function = 0x63, 0x70 // (ref null func)
	huge := wasmtest.U32(1<<32 - 2)
	types := wasmtest.Section(wasmtest.TypeSection, wasmtest.Vector([]byte{0x60, 0, 0}))
	functions := wasmtest.Section(wasmtest.FunctionSection, wasmtest.Vector([]byte{0}))
	with := func(b []byte, more ...byte) []byte { return append(b[:len(b):len(b)], more...) }
	for _, row := range []struct {
		name     string
		sections [][]byte
	}{
		{"behind a parameter", [][]byte{
			wasmtest.Section(wasmtest.TypeSection, with([]byte{1, 0x60, 1, null, 0}, huge...)),
		}},
		{"behind a local", [][]byte{
			types, functions,
			wasmtest.Section(wasmtest.CodeSection, wasmtest.Vector(wasmtest.Text(string([]byte{2, 1, null, function})+string(huge)+"\x7f\x0b"))),
		}},
		{"behind the type of a table", [][]byte{
			types, wasmtest.Section(wasmtest.TableSection, []byte{1, null, 1, 1}, wasmtest.U32(1_000), wasmtest.U32(1<<32-1)),
		}},
		{"behind a table that is filled", [][]byte{
			wasmtest.Section(wasmtest.TableSection, []byte{1, 0x40, 0, 0x70, 0}, wasmtest.U32(1<<26), []byte{0xd0, 0x70, 0x0b}),
		}},
		{"behind an imported table", [][]byte{
			wasmtest.Section(wasmtest.ImportSection, with([]byte{2, 1, 'm', 1, 'n', 1, null, 1, 0, 0}, huge...)),
		}},
		{"behind an imported global", [][]byte{
			wasmtest.Section(wasmtest.ImportSection, with([]byte{2, 1, 'm', 1, 'n', 3, null, function, 0}, huge...)),
		}},
		{"behind a global", [][]byte{
			wasmtest.Section(wasmtest.GlobalSection, []byte{1, null, function, 0, 0xd0, function, 0x0b}),
		}},
		{"behind the type of elements", [][]byte{
			wasmtest.Section(wasmtest.ElementSection, with([]byte{1, 5, null, function}, huge...)),
		}},
		{"behind a null", [][]byte{
			wasmtest.Section(wasmtest.ElementSection, with([]byte{2, 5, function, 1, 0xd0, 0x80, 0, 0x0b, 1, 0}, huge...)),
		}},
	} {
		_, err := scan(wasmtest.Raw(row.sections...), engine.Config{})
		var invalid *engine.InvalidError
		if !errors.As(err, &invalid) || invalid.Fault != abi.NotWasm {
			t.Errorf("%s: %v, want that it is refused", row.name, err)
		}
	}
}

func TestScanCountsTheLocalsOfAllFunctions(t *testing.T) {
	t.Parallel()
	const functions = 1_000
	body := wasmtest.Text("\x01\xd0\x86\x03\x7f\x0b") // 50,000 of i32, and the end
	_, err := scan(wasmtest.Raw(
		wasmtest.Section(wasmtest.TypeSection, wasmtest.Vector([]byte{0x60, 0, 0})),
		wasmtest.Section(wasmtest.FunctionSection, wasmtest.Times(functions, []byte{0})),
		wasmtest.Section(wasmtest.CodeSection, wasmtest.Times(functions, body)),
	), engine.Config{})
	var invalid *engine.InvalidError
	if !errors.As(err, &invalid) || invalid.Fault != abi.TooLarge {
		t.Errorf("%d functions of 50,000 locals: %v, want that it is too large", functions, err)
	}
}
