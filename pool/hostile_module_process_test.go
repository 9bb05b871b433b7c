package pool_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/wasmpool/wasmpool/abi"
	wt "github.com/wasmpool/wasmpool/internal/wasmtest"
	"github.com/wasmpool/wasmpool/pool"
)

// attacking is a module with one function, attack, of some body.
func attacking(body ...wt.Code) []byte {
	m := wt.Worker(1)
	m.Func("attack", body...)
	return m.Bytes()
}

// The sections of a module with one type, () -> i32, and one function of it.
var (
	oneType     = wt.Section(wt.TypeSection, wt.Vector([]byte{0x60, 0, 1, 0x7f}))
	oneFunction = wt.Section(wt.FunctionSection, wt.Vector([]byte{0}))
)

// body is a function's code with the declarations of its locals before it.
func body(code ...[]byte) []byte { return wt.Text(string(bytes.Join(code, nil))) }

func TestHostileModulesThatAreNone(t *testing.T) {
	const all = 1<<32 - 1
	attacks := []attack{
		{name: "no bytes at all", module: []byte{}, want: refused(abi.NotWasm, "magic")},
		{name: "bad magic", module: []byte("\x7fELF\x02\x01\x01\x00"), want: refused(abi.NotWasm, "magic")},
		{name: "a version to come", module: []byte("\x00asm\x02\x00\x00\x00"), want: refused(abi.NotWasm, "version")},
		{name: "a component", module: []byte("\x00asm\x0d\x00\x01\x00"), want: refused(abi.NotWasm, "component")},
		{name: "a section that is longer than the module", module: wt.Raw([]byte{wt.TypeSection}, wt.U32(all)), want: refused(abi.NotWasm, "unexpected end")},
		{
			name: "more parameters than there are bytes", want: refusedAs(abi.NotWasm, abi.TooLarge),
			module: wt.Raw(wt.Section(wt.TypeSection, []byte{1, 0x60}, wt.U32(all))),
		},
		{
			name: "a count hidden behind a type of a later proposal", want: refused(abi.NotWasm, "value type"),
			module: wt.Raw(wt.Section(wt.TypeSection, []byte{1, 0x60, 1, 0x63, 0}, wt.U32(all-1))),
		},
		{
			name: "a name of 4 GiB", want: refused(abi.NotWasm, ""),
			module: wt.Raw(wt.Section(wt.ImportSection, []byte{1}, wt.U32(all), []byte("m"))),
		},
		{
			name: "4,294,967,295 locals", want: refused(abi.TooLarge, "locals"),
			module: wt.Raw(oneType, oneFunction, wt.Section(wt.CodeSection, wt.Vector(body([]byte{1}, wt.U32(all), []byte{0x7f, 0x0b})))),
		},
		{
			name: "100,000,000 locals", want: refused(abi.TooLarge, "locals"),
			module: wt.Raw(oneType, oneFunction, wt.Section(wt.CodeSection, wt.Vector(body([]byte{1}, wt.U32(100_000_000), []byte{0x7f, 0x0b})))),
		},
		{
			name: "50,000 locals in each of 10,000 functions", want: refused(abi.TooLarge, "locals"),
			module: wt.Raw(oneType, wt.Section(wt.FunctionSection, wt.Times(10_000, []byte{0})),
				wt.Section(wt.CodeSection, wt.Times(10_000, body([]byte{1}, wt.U32(50_000), []byte{0x7f, 0, 0x0b})))),
		},
		{
			name: "a table of 134,217,728 elements", want: refused(abi.TooLarge, "tables"),
			module: wt.Raw(wt.Section(wt.TableSection, []byte{1, 0x70, 0}, wt.U32(1<<27))),
		},
		{
			name: "a hundred tables that are too large together", want: refused(abi.TooLarge, "tables"),
			module: wt.Raw(wt.Section(wt.TableSection, wt.Times(100, append([]byte{0x70, 0}, wt.U32(20_000)...)))),
		},
		{
			name: "a memory above its limit", want: refused(abi.TooLarge, "memory"),
			module: wt.Worker(1 << 16).Bytes(),
		},
		{
			name: "more memories than one", want: refusedAs(abi.NotWasm, abi.TooLarge),
			module: wt.Raw(wt.Section(wt.MemorySection, wt.Times(2, []byte{0, 1}))),
		},
		{
			name: "a module above its limit", want: refused(abi.TooLarge, "ModuleBytes"),
			module: make([]byte, 1<<20+1), limits: pool.Limits{ModuleBytes: 1 << 20},
		},
	}
	for name, section := range map[string]byte{
		"types": wt.TypeSection, "imports": wt.ImportSection, "functions": wt.FunctionSection, "tables": wt.TableSection,
		"memories": wt.MemorySection, "globals": wt.GlobalSection, "exports": wt.ExportSection, "elements": wt.ElementSection,
		"codes": wt.CodeSection, "data": wt.DataSection,
	} {
		if raceEnabled || testing.Short() {
			break // the suite of the engines has them too
		}
		attacks = append(attacks, attack{
			name:   fmt.Sprintf("4,294,967,295 %s in no bytes", name),
			module: wt.Raw(wt.Section(section, wt.U32(all))),
			want:   refusedAs(abi.NotWasm, abi.TooLarge),
		})
	}
	hostile(t, attacks)
}

func TestHostileModulesThatDoNotFit(t *testing.T) {
	importing := func(module, name, signature string) []byte {
		m := wt.New()
		m.Import(module, name, signature)
		m.Memory(1).Func("attack", wt.I32(0))
		return m.Bytes()
	}
	hostile(t, []attack{
		{
			name: "an import that nothing provides", module: importing("env", "system", "i32 -> i32"),
			want: refused(abi.UnknownImport, `"env"."system"`),
		},
		{
			name: "an import of WASI that does not exist", module: importing("wasi_snapshot_preview1", "sock_open", "i32 -> i32"),
			want: refused(abi.UnknownImport, "no such function"),
		},
		{
			name: "an import of the ABI with another type", module: importing("wasmpool", "output", "i64 i64 -> i64"),
			want: refused(abi.UnknownImport, "(i32, i32)"), functions: again,
		},
		{
			name: "an import of WASI with another type", module: importing("wasi_snapshot_preview1", "proc_exit", "f64 -> f64"),
			want: refused(abi.UnknownImport, "proc_exit"),
		},
		{
			name: "an imported memory", want: refused(abi.UnknownImport, `memory "env"."memory"`),
			module: func() []byte {
				m := wt.New()
				m.ImportAs("env", "memory", 2, []byte{0, 1})
				m.Export("memory", 2, 0)
				m.Func("attack", wt.I32(0))
				return m.Bytes()
			}(),
		},
		{name: "a function that is not there", module: attacking(wt.I32(0)), functions: []string{"absent"}, want: fails(abi.NotFound, "FunctionNotFound", `"absent"`)},
		{
			name: "a function of another type", want: fails(abi.NotFound, "FunctionNotFound", "add"), functions: []string{"add"},
			module: func() []byte {
				m := wt.Worker(1)
				m.Func("other", wt.I32(0))
				m.FuncOf("add", "i32 i32 -> i32", wt.I32(0))
				return m.Bytes()
			}(),
		},
		{
			name: "a memory that is not exported", want: refused(abi.WrongShape, "memory"),
			module: func() []byte {
				m := wt.New()
				m.Func("attack", wt.I32(0))
				return m.Bytes()
			}(),
		},
		{
			name: "an export of the ABI with another type", want: refused(abi.WrongShape, "wasmpool_init"),
			module: func() []byte {
				m := wt.Worker(1)
				m.Func("attack", wt.I32(0))
				m.FuncOf("wasmpool_init", "i64 ->")
				return m.Bytes()
			}(),
		},
		{
			name: "data out of bounds", want: refused(abi.InitFailed, ""),
			module: func() []byte {
				m := wt.Worker(1)
				m.Data(1<<16-2, "four")
				m.Func("attack", wt.I32(0))
				return m.Bytes()
			}(),
		},
		{
			// The engine leaves such elements out, and the guest runs without.
			name: "elements out of bounds", want: returns("null"),
			module: func() []byte {
				m := wt.Worker(1)
				m.Table(2)
				m.Elements(2, m.Func("attack", wt.I32(0)))
				return m.Bytes()
			}(),
		},
	})
}
