package pool_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/wasmpool/wasmpool/abi"
	wt "github.com/wasmpool/wasmpool/internal/wasmtest"
	"github.com/wasmpool/wasmpool/pool"
	"github.com/wasmpool/wasmpool/testdata/wasm"
)

// bomb is a module with one function, whose body is code that was made to be
// slow, or large, to compile.
func bomb(code ...[]byte) []byte {
	return wt.Raw(oneType, oneFunction,
		wt.Section(wt.MemorySection, []byte{1, 0, 1}),
		wt.Section(wt.ExportSection, wt.Vector(slices.Concat(wt.Text("memory"), []byte{2, 0}), slices.Concat(wt.Text("attack"), []byte{0, 0}))),
		wt.Section(wt.CodeSection, wt.Vector(body(slices.Concat([][]byte{{0}}, code, [][]byte{{0x41, 0, 0x0b}})...))),
	)
}

// inTime bounds what compiling a module may take.
var inTime = pool.Limits{CompileTime: time.Second}

// TestHostileModulesThatAreSlowToCompile holds that the time is bounded, and
// spent by a process that has nothing else to do. What of them compiles in time
// is a module like any other.
func TestHostileModulesThatAreSlowToCompile(t *testing.T) {
	const million = 1_000_000
	n := million
	if raceEnabled || testing.Short() {
		n = 100_000
	}
	repeat := func(n int, code ...byte) []byte { return bytes.Repeat(code, n) }
	locals := func() []byte {
		// Each block of a thousand locals sets one of them: they all meet at its end.
		code := repeat(n/50, 0x02, 0x40, 0x20, 0, 0x0d, 0, 0x41, 1, 0x21, 0, 0x0b)
		return wt.Raw(oneType, oneFunction,
			wt.Section(wt.MemorySection, []byte{1, 0, 1}),
			wt.Section(wt.ExportSection, wt.Vector(slices.Concat(wt.Text("memory"), []byte{2, 0}), slices.Concat(wt.Text("attack"), []byte{0, 0}))),
			wt.Section(wt.CodeSection, wt.Vector(body([]byte{1}, wt.U32(1000), []byte{0x7f}, code, []byte{0x41, 0, 0x0b}))),
		)
	}
	var attacks []attack
	for _, a := range []attack{
		{name: "a million nested blocks", module: bomb(repeat(n, 0x02, 0x40), repeat(n, 0x0b))},
		{name: "a hundred thousand branches", module: bomb(repeat(n/10, 0x41, 1, 0x04, 0x40, 0x05, 0x0b))},
		{name: "a thousand locals in twenty thousand blocks", module: locals()},
		{name: "a jump with a million targets", module: bomb([]byte{0x02, 0x40, 0x41, 0, 0x0e}, wt.U32(uint32(n)), repeat(n+1, 0), []byte{0x0b})},
	} {
		a.limits = inTime
		a.want = either(notReady(""), returns("null"))
		attacks = append(attacks, a)
	}
	hostile(t, attacks)
}

// TestHostileModulesOfMany holds that what browsers allow does no harm, and that
// more is refused.
func TestHostileModulesOfMany(t *testing.T) {
	n := 1_000_000
	if raceEnabled || testing.Short() {
		n = 100_000
	}
	exports := [][]byte{slices.Concat(wt.Text("memory"), []byte{2, 0}), slices.Concat(wt.Text("attack"), []byte{0, 0})}
	for i := range n {
		exports = append(exports, slices.Concat(wt.Text(fmt.Sprintf("f%d", i)), []byte{0, 0}))
	}
	with := func(types, functions int, exports ...[]byte) []byte {
		return wt.Raw(
			wt.Section(wt.TypeSection, wt.Times(types, []byte{0x60, 0, 1, 0x7f})),
			wt.Section(wt.FunctionSection, wt.Times(functions, []byte{0})),
			wt.Section(wt.MemorySection, []byte{1, 0, 1}),
			wt.Section(wt.ExportSection, wt.Vector(exports...)),
			wt.Section(wt.CodeSection, wt.Times(functions, body([]byte{0, 0x41, 0, 0x0b}))),
		)
	}
	hostile(t, []attack{
		{
			name: "a million types", module: with(n, 1, exports[:2]...), limits: inTime,
			want: either(notReady(""), returns("null")),
		},
		{
			name: "a million functions", module: with(1, n, exports[:2]...), limits: inTime,
			want: either(notReady(""), returns("null")),
		},
		{
			name: "a million exports", module: with(1, 1, exports[:n]...), limits: inTime,
			want: either(notReady(""), either(refused(abi.TooLarge, ""), returns("null"))),
		},
		{name: "more types than a million", module: with(1_000_001, 1, exports[:2]...), want: refused(abi.TooLarge, "types")},
	})
}

// TestHostileModulesThatWereCut cuts a module in many places; the suite of the
// engines does so at each byte.
func TestHostileModulesThatWereCut(t *testing.T) {
	t.Parallel()
	whole := attacking(wt.I32(0))
	const step = 3
	o := pool.Options{Max: 2, Logger: quiet, Modules: map[string]pool.Module{"echo": {Bytes: wasm.Module("echo")}}}
	for n := 0; n < len(whole); n += step {
		o.Modules[fmt.Sprint(n)] = pool.Module{Bytes: whole[:n]}
	}
	p := start(t, o)
	for n := 0; n < len(whole); n += step {
		_, err := p.Call(within(t), fmt.Sprint(n), "attack")
		if fault := as[*pool.ModuleError](t, err); fault.Fault != abi.NotWasm && fault.Fault != abi.WrongShape {
			t.Errorf("the first %d bytes of %d: %v, want that they are no module, or no worker", n, len(whole), err)
		}
	}
	if got, err := p.Call(within(t), "echo", "add", 1, 2); err != nil || string(got) != "3" {
		t.Errorf("add(1, 2) = %s, %v, want 3", got, err)
	}
}
