package pool_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/wasmpool/wasmpool/abi"
	wt "github.com/wasmpool/wasmpool/internal/wasmtest"
	"github.com/wasmpool/wasmpool/pool"
)

// ended: the worker had to be ended, or ended itself, by a limit.
func ended(limit string, value int64) verdict {
	return judge(func(_ json.RawMessage, err error) bool {
		var exit *pool.UnexpectedExitError
		var l *pool.LimitError
		return errors.As(err, &exit) && exit.Started && errors.As(err, &l) && l.Limit == limit && l.Value == value && l.Function == "attack"
	}, "an UnexpectedExitError because of a LimitError of %q, %d", limit, value)
}

// TestHostileUseOfAProcess holds what a guest uses of its process beside its
// linear memory: each limit at its edge, with the error that names it.
func TestHostileUseOfAProcess(t *testing.T) {
	if raceEnabled {
		t.Skip("the memory of a process that is built with the race detector cannot be bounded")
	}
	// Each call of poll_oneoff leaves garbage that nobody collects while it runs.
	littering := using("poll_oneoff", "i32 i32 i32 i32 -> i32", "", func(f uint32) wt.Code {
		return wt.Forever(wt.Drop(wt.Call(f, wt.I32(0), wt.I32(2048), wt.I32(1), wt.I32(4096))))
	})
	filling := func() []byte {
		m := wt.Worker(1)
		const pages = 1600
		m.Func("attack",
			wt.Drop(wt.MemoryGrow(wt.I32(pages))),
			wt.Forever(wt.MemoryFill(wt.I32(0), wt.I32(7), wt.I32(pages<<16))), wt.I32(0))
		return m.Bytes()
	}()
	table := func(elements uint32) []byte {
		m := wt.New().Memory(1)
		m.Table(elements)
		m.Func("attack", wt.I32(0))
		return m.Bytes()
	}
	million := func(code ...byte) []byte { return bytes.Repeat(code, 1_000_000) }
	const mib = 1 << 20
	hostile(t, []attack{
		{
			name: "garbage without end", module: littering, limits: pool.Limits{ProcessBytes: 128 * mib},
			want: ended("process memory", 128*mib),
		},
		{
			name: "more resident memory than is allowed", module: filling, limits: pool.Limits{ResidentBytes: 64 * mib},
			want: ended("resident memory", 64*mib),
		},
		{
			name: "more processor time than is allowed", module: worker(wt.Forever(), wt.I32(0)), limits: pool.Limits{ProcessorTime: 100 * time.Millisecond},
			want: ended("processor time", int64(100*time.Millisecond)),
		},
		{
			name: "more memory to compile than is allowed", module: bomb(million(0x02, 0x40), million(0x0b)), limits: pool.Limits{CompileBytes: 64 * mib},
			want: judge(func(_ json.RawMessage, err error) bool {
				var ready *pool.NotReadyError
				var l *pool.LimitError
				return errors.As(err, &ready) && errors.As(err, &l) && l.Limit == "compile memory" && l.Value == 64*mib
			}, "a NotReadyError because of a LimitError of compile memory"),
		},
		{name: "a table at its limit", module: table(1000), limits: pool.Limits{TableElements: 1000}, want: returns("null")},
		{name: "a table above its limit", module: table(1001), limits: pool.Limits{TableElements: 1000}, want: refused(abi.TooLarge, "1000")},
	})
}

// worker is a module with one function.
func worker(code ...wt.Code) []byte {
	m := wt.Worker(1)
	m.Func("attack", slices.Concat(code...))
	return m.Bytes()
}

func TestACallUsesTheProcessorTimeThatIsItsOwn(t *testing.T) {
	t.Parallel()
	p := start(t, pool.Options{Max: 1, Limits: pool.Limits{ProcessorTime: 2 * time.Second}})
	// Together they use more than one may.
	for range 30 {
		if _, err := p.Call(within(t), "echo", "fib", 31); err != nil {
			t.Fatal(err)
		}
	}
	if n := p.Stats().WorkersLost; n != 0 {
		t.Errorf("%d workers were killed for what many calls used", n)
	}
}
