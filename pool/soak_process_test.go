//go:build linux

package pool_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	wt "github.com/wasmpool/wasmpool/internal/wasmtest"
	"github.com/wasmpool/wasmpool/pool"
	"github.com/wasmpool/wasmpool/testdata/wasm"
)

const (
	soakCallers = 8
	// soakGrowth is what the second half may add to the memory that this program
	// holds after the first.
	soakGrowth = 16 << 20
)

// soakCalls is how many hostile calls there are, and honest ones besides: 200,000
// by make soak, else a hundredth.
func soakCalls() int {
	if os.Getenv("WASMPOOL_SOAK") == "whole" {
		return 200_000
	}
	return 2_000
}

// soaking is a module whose functions each try something, by name.
func soaking() (module []byte, functions []string) {
	m := wt.New()
	output := m.Import("wasmpool", "output", "i32 i32 ->")
	fail := m.Import("wasmpool", "fail", "i32 i32 ->")
	log := m.Import("wasmpool", "log", "i32 i32 i32 ->")
	host := m.Import("wasmpool", "host", "i32 i32 i32 i32 -> i32")
	input := m.Import("wasmpool", "input", "i32 i32 -> i32")
	exit := m.Import(wasi, "proc_exit", "i32 ->")
	m.Memory(2)
	m.Table(1)
	zero, page := wt.I32(0), wt.I32(1<<16)
	for name, body := range map[string][]wt.Code{
		"trap":             {wt.Unreachable()},
		"exit":             {wt.Call(exit, wt.I32(3)), zero},
		"error":            {wt.Call(fail, zero, page), wt.I32(1)},
		"pointer":          {wt.Call(output, wt.I32(-1), wt.I32(8)), zero},
		"wrapping pointer": {wt.Drop(wt.Call(input, wt.I32(-8), wt.I32(16))), zero},
		"too large":        {wt.Drop(wt.MemoryGrow(wt.I32(64))), wt.Call(output, zero, wt.I32(2<<20)), zero},
		"many outputs":     {wt.Repeat(0, 1000, wt.Call(output, zero, page)), zero},
		"log":              {wt.Repeat(0, 100, wt.Call(log, wt.I32(4), zero, wt.I32(1000))), zero},
		"ungranted host":   {wt.Repeat(0, 3, wt.Drop(wt.Call(host, zero, wt.I32(8), zero, page))), zero},
		"granted host":     {wt.Repeat(0, 3, wt.Drop(wt.Call(host, wt.I32(64), wt.I32(4), zero, page))), zero},
		"memory bomb":      {wt.Loop(wt.BrIf(0, wt.Ne(wt.MemoryGrow(wt.I32(16)), wt.I32(-1)))), zero},
		"table bomb":       {wt.Loop(wt.BrIf(0, wt.Ne(wt.TableGrow(wt.I32(1000)), wt.I32(-1)))), zero},
	} {
		m.Func(name, body...)
		functions = append(functions, name)
	}
	m.Func("loop", wt.Forever(), zero)
	m.Data(64, "fail")
	return m.Bytes(), functions
}

// TestSoak mixes calls of a module that tries whatever it can with calls of an
// honest one: each of those must be answered, and rightly, and this program must
// not grow with the number of calls.
func TestSoak(t *testing.T) {
	module, functions := soaking()
	half := soakCalls() / 2
	p := start(t, pool.Options{
		Max: soakCallers, CancelGrace: time.Millisecond, Logger: quiet,
		Limits: pool.Limits{MemoryBytes: 16 << 20, OutputBytes: 1 << 20, TableElements: 100_000, LogBytes: 64 << 10},
		Modules: map[string]pool.Module{
			"hostile": {Bytes: module, Host: map[string]pool.HostFunc{
				"fail": func(context.Context, []byte) ([]byte, error) { return nil, errors.New("as it is wont to") },
			}},
			"echo": {Bytes: wasm.Module("echo")},
		},
	})
	soak(t, p, half, functions)
	first := residentNow(t)
	soak(t, p, half, functions)
	second := residentNow(t)
	t.Logf("%d hostile and as many honest calls; resident memory %d MiB after the first half and %d after the second; %d workers lost",
		2*half, first>>20, second>>20, p.Stats().WorkersLost)
	if second > first+soakGrowth && !raceEnabled {
		t.Errorf("this program holds %d MiB after the second half, %d after the first", second>>20, first>>20)
	}
}

// soak has half of the callers make honest calls, and half of them hostile ones.
func soak(t *testing.T, p *pool.Pool, calls int, functions []string) {
	t.Helper()
	var all sync.WaitGroup
	share := func(what string, call func(i int64)) {
		var next atomic.Int64
		for range soakCallers / 2 {
			all.Go(func() {
				for i := next.Add(1); i <= int64(calls) && !t.Failed(); i = next.Add(1) {
					if i%20_000 == 0 {
						fmt.Fprintf(os.Stderr, "soak: %d of %d %s calls\n", i, calls, what)
					}
					call(i)
				}
			})
		}
	}
	share("honest", func(i int64) {
		want := fmt.Sprint(i + 1)
		if got, err := p.Call(t.Context(), "echo", "add", i, 1); err != nil || string(got) != want {
			t.Errorf("add(%d, 1) = %s, %v, want %s", i, got, err, want)
		}
	})
	share("hostile", func(i int64) {
		f, o := functions[rand.IntN(len(functions))], pool.Timeout(patience)
		if i%500 == 0 { // each costs a process
			f, o = "loop", pool.Timeout(5*time.Millisecond)
		}
		_, err := p.Proxy("hostile", f, o)(t.Context())
		var module *pool.ModuleError
		var ready *pool.NotReadyError
		if errors.As(err, &module) || errors.As(err, &ready) {
			t.Errorf("%s(): %v, want that it ran", f, err)
		}
	})
	all.Wait()
}

// residentNow is what this process holds when it has given back what it can.
func residentNow(t *testing.T) uint64 {
	t.Helper()
	debug.FreeOSMemory()
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skipf("resident memory is not known here: %v", err)
	}
	var size, resident uint64
	if _, err := fmt.Sscan(string(b), &size, &resident); err != nil {
		t.Fatal(err)
	}
	return resident * uint64(os.Getpagesize())
}
