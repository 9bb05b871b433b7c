package pool_test

import (
	"testing"
	"time"

	"github.com/wasmpool/wasmpool/abi"
	wt "github.com/wasmpool/wasmpool/internal/wasmtest"
	"github.com/wasmpool/wasmpool/pool"
)

// soon is how long calls of the attacks may take that never end.
const soon = 150 * time.Millisecond

func TestHostileCodeThatDoesNotEnd(t *testing.T) {
	// initialising is a module with some code where it starts.
	initialising := func(export string, signature string, code ...wt.Code) []byte {
		m := wt.Worker(1)
		m.Func("attack", wt.I32(0))
		if f := m.FuncOf(export, signature, code...); export == "" {
			m.Start(f)
		}
		return m.Bytes()
	}
	starting := pool.Options{StartTimeout: time.Second}
	timeout := []pool.CallOption{pool.Timeout(soon)}
	hostile(t, []attack{
		{name: "a loop, ended by its caller", module: attacking(wt.Forever(), wt.I32(0)), call: timeout, want: late()},
		{
			name: "a loop, ended by the pool", module: attacking(wt.Forever(), wt.I32(0)),
			options: pool.Options{CallTimeout: soon}, want: limited("run time", int64(soon)),
		},
		{
			name: "a loop in a start section", module: initialising("", "->", wt.Forever()),
			options: starting, want: notReady("StartTimeout"),
		},
		{
			name: "a loop in _initialize", module: initialising("_initialize", "->", wt.Forever()),
			options: starting, want: notReady("StartTimeout"),
		},
		{
			name: "a loop in wasmpool_functions", module: initialising("wasmpool_functions", "-> i32", wt.Forever(), wt.I32(0)),
			options: starting, want: notReady("StartTimeout"),
		},
		{
			name: "a fill of the memory for ever", call: timeout, want: late(),
			module: attacking(wt.Drop(wt.MemoryGrow(wt.I32(1023))), wt.Forever(wt.MemoryFill(wt.I32(0), wt.I32(1), wt.I32(64<<20))), wt.I32(0)),
		},
		{
			name: "recursion without end", want: traps("stack overflow"), functions: again,
			module: func() []byte {
				m := wt.Worker(1)
				m.Func("attack", wt.Add(wt.Call(0), wt.I32(1)))
				return m.Bytes()
			}(),
		},
		{
			name: "recursion in a start section", want: refused(abi.InitFailed, "stack overflow"),
			module: initialising("", "->", wt.Call(1)),
		},
	})
}

func TestHostileCodeThatGrows(t *testing.T) {
	const mul, div = 0x6c, 0x6d // of i32
	// Each takes as much as it is given, and returns a digit for every so much.
	memory := func() []byte {
		m := wt.New()
		output := m.Import("wasmpool", "output", "i32 i32 ->")
		m.Memory(1).Func("attack",
			wt.Loop(wt.BrIf(0, wt.Ne(wt.MemoryGrow(wt.I32(1)), wt.I32(-1)))),
			wt.MemoryFill(wt.I32(0), wt.I32('7'), wt.Op(mul, wt.MemorySize(), wt.I32(1<<16))),
			wt.Call(output, wt.I32(0), wt.Op(div, wt.MemorySize(), wt.I32(256))),
			wt.I32(0))
		return m.Bytes()
	}()
	table := func() []byte {
		m := wt.New()
		output := m.Import("wasmpool", "output", "i32 i32 ->")
		m.Memory(1).Table(1)
		m.Func("attack",
			wt.Loop(wt.BrIf(0, wt.Ne(wt.TableGrow(wt.I32(100_000)), wt.I32(-1)))),
			wt.MemoryFill(wt.I32(0), wt.I32('7'), wt.I32(100)),
			wt.Call(output, wt.I32(0), wt.Op(div, wt.TableSize(), wt.I32(100_000))),
			wt.I32(0))
		return m.Bytes()
	}()
	hostile(t, []attack{
		{name: "memory up to the limit", module: memory, limits: pool.Limits{MemoryBytes: 64 << 20}, want: returns("7777")},
		{name: "a table up to the limit", module: table, want: returns("777777777")},
	})
}
