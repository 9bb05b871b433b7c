//go:build linux

package pool_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/wasmpool/wasmpool/internal/guestbuild"
	"github.com/wasmpool/wasmpool/pool"
	"github.com/wasmpool/wasmpool/testdata/wasm"
)

func TestStrictWantsARunner(t *testing.T) {
	t.Parallel()
	_, err := pool.New(pool.Options{Sandbox: pool.Strict})
	if err == nil || !strings.Contains(err.Error(), "option Sandbox is strict; want a Runner with it") {
		t.Errorf("New = %v, want that it names what is missing", err)
	}
}

// skipWithoutWall skips the test when an error says that this machine has not
// what Strict asks for.
func skipWithoutWall(t *testing.T, err error) {
	t.Helper()
	var ready *pool.NotReadyError
	if errors.As(err, &ready) && strings.Contains(err.Error(), "sandbox lacks") {
		t.Skipf("this machine has not the whole wall: %v", err)
	}
}

// TestNothingThatServingNeedsIsForbidden keeps workers busy, in every way that
// there is, behind a filter that ends them for a system call which is not on its
// list: a Go runtime, or a machine, that needs another one fails it.
func TestNothingThatServingNeedsIsForbidden(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds programs")
	}
	t.Parallel()
	embedded, err := os.ReadFile(runner(t))
	if err != nil {
		t.Fatal(err)
	}
	path, err := pool.RunnerBytes(embedded)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := pool.RunnerBytes(embedded); err != nil || again != path {
		t.Errorf("the same bytes are kept at %s and at %s, %v", path, again, err)
	}
	goGuest := guestbuild.Go(t, "../guest/testworker")
	for _, row := range []struct {
		name    string
		options pool.Options
	}{
		{"one at a time", pool.Options{Max: 2}},
		{"four at once", pool.Options{Max: 2, Concurrency: 4}},
		{"each in a new instance", pool.Options{Max: 2, Fresh: true}},
		{"adopted by a blank worker, without a cache", pool.Options{Min: 2, Max: 2, DisableCache: true}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			o := row.options
			o.Runner, o.Sandbox, o.Logger = path, pool.Strict, quiet
			o.Modules = map[string]pool.Module{"echo": {Bytes: wasm.Module("echo")}, "worker": {Bytes: goGuest}}
			o.Host = map[string]pool.HostFunc{"double": pool.HostJSON(doubled)}
			p, err := pool.New(o)
			skipWithoutWall(t, err)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			_, err = p.Call(within(t), "echo", "add", 1, 2)
			skipWithoutWall(t, err)
			var all sync.WaitGroup
			for range 4 {
				all.Go(func() { busy(t, p) })
			}
			all.Wait()
			if n := p.Stats().WorkersLost; n != 0 {
				t.Errorf("%d workers were lost", n)
			}
			for _, l := range p.Stats().Sandbox {
				if !l.On {
					t.Errorf("layer %s is off: %s", l.Name, l.Why)
				}
			}
		})
	}
}

func doubled(_ context.Context, args []int) (int, error) { return 2 * args[0], nil }

// busy makes calls of many kinds and sizes.
func busy(t *testing.T, p *pool.Pool) {
	t.Helper()
	for range 3 {
		for _, size := range []int{1, 1000, 100_000, 1 << 20} {
			text := strings.Repeat("x", size)
			if got, err := p.Call(within(t), "echo", "echo", text); err != nil || len(got) != size+4 {
				t.Errorf("an echo of %d bytes: %d bytes, %v", size, len(got), err)
			}
		}
		for _, call := range []struct {
			module, function string
			args             []any
			fails            bool
		}{
			{"echo", "add", []any{1, 2}, false},
			{"echo", "recurse", nil, true}, // a trap, and a new instance
			{"echo", "grow", nil, false},
			{"echo", "big", []any{1 << 20}, false},
			{"worker", "greet", []any{"world"}, false},
			{"worker", "host", []any{"double", 21}, false},
			{"worker", "log", []any{0, "hello"}, false},
			{"worker", "print", []any{strings.Repeat("line\n", 10_000)}, false},
			{"worker", "panic", []any{"oh"}, true},
			{"worker", "exit", []any{3}, true},
			{"worker", "sleep", []any{5}, false},
		} {
			_, err := p.Call(within(t), call.module, call.function, call.args...)
			var failed *pool.WorkerError
			if call.fails && !errors.As(err, &failed) || !call.fails && err != nil {
				t.Errorf("%s.%s(): %v", call.module, call.function, err)
			}
		}
	}
}
