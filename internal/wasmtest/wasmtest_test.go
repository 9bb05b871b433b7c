package wasmtest

import (
	"context"
	"testing"

	"github.com/wasmpool/wasmpool/isolate/engine"
	"github.com/wasmpool/wasmpool/isolate/wazero"
)

// silent is a host that is not asked for anything.
type silent struct{ engine.Host }

func TestWhatIsWrittenRuns(t *testing.T) {
	t.Parallel()
	m := New()
	yield := m.Import("wasi_snapshot_preview1", "sched_yield", "-> i32")
	m.Memory(1)
	m.Table(3)
	answer := m.Global(40)
	m.Data(16, "\x2a\x00\x00\x00")
	fortytwo := m.Func("fortytwo", Load(I32(16)))
	m.Elements(1, fortytwo)
	m.Start(m.FuncOf("", "->", SetGlobal(answer, Add(GetGlobal(answer), Call(yield)))))
	m.Func("minus", Sub(I32(-100), I32(1_000_000)))
	m.Func("global", GetGlobal(answer))
	m.Func("repeat", Repeat(1, 1000, Set(2, Add(Get(2), I32(2)))), Get(2))
	m.Func("grow", Drop(MemoryGrow(I32(2))), MemoryFill(I32(0), I32(7), I32(3<<16)), Load(I32(3<<16-4)))
	m.Func("pages", MemorySize())
	m.Func("table", Drop(TableGrow(I32(5))), TableSize())
	m.Func("return", Forever(Return(Ne(I32(1), Or(I32(1), I32(2))))), I32(0))
	m.Func("call", Call(fortytwo))
	m.Func("trap", Unreachable())
	m.FuncOf("wide", "i64 -> i64", I64(-1<<40))

	e := wazero.New()
	defer e.Close()
	loaded, err := e.Load(t.Context(), m.Bytes(), engine.Config{})
	if err != nil {
		t.Fatal(err)
	}
	x, err := loaded.Instantiate(context.Background(), engine.InstanceConfig{Host: silent{}})
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	for _, row := range []struct {
		export string
		want   int32
	}{
		{"fortytwo", 42},
		{"minus", -1_000_100},
		{"global", 40},
		{"repeat", 2000},
		{"grow", 0x07070707},
		{"pages", 3},
		{"table", 8},
		{"return", 1},
		{"call", 117_901_063}, // what grow has left at 16
	} {
		if got, err := x.Invoke(row.export); got != row.want || err != nil {
			t.Errorf("%s() = %d, %v, want %d", row.export, got, err, row.want)
		}
	}
	if _, err := x.Invoke("trap"); err == nil {
		t.Error("trap() returned")
	}
}
