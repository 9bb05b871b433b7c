package pool_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmpool/wasmpool/pool"
	"github.com/wasmpool/wasmpool/pool/pooltest"
)

// serving are the modules of the workers, in the order of the workers' numbers.
func (b *bench) serving() []string {
	synctest.Wait()
	var names []string
	for _, w := range b.Stats().Workers {
		names = append(names, w.Module)
	}
	return names
}

// Several modules share Max, and each worker hosts one module, ever.
func TestModulesShareMaxAndEachWorkerHostsOne(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Max: 3, Launcher: &pooltest.Launcher{
			OnCall: func(_ context.Context, c *pooltest.Call) (any, error) {
				return pooltest.Raw(`"` + c.Worker.Assignment().Module + `"`), wait(context.Background(), time.Millisecond)
			},
		}})
		var cs []*call
		modules := []string{"a", "b", "c"}
		for i := range 300 {
			cs = append(cs, b.callOf(t.Context(), modules[i%3], "f"))
		}
		for i, c := range cs {
			want(t, "the module that answered", string(c.ok()), `"`+modules[i%3]+`"`)
			if n := b.ProcessCount(); n > 3 {
				t.Fatalf("%d processes, Max is 3", n)
			}
		}
	})
}

// At Max an idle worker of another module makes room at once: the one that has
// been idle for longest.
func TestAnIdleWorkerMakesRoomForAnotherModule(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Max: 2, IdleTimeout: -1})
		b.do("pid")
		pass(time.Second)
		b.callOf(t.Context(), "b", "pid").ok()
		pass(time.Second)
		b.do("pid") // b has been idle for longer than a now
		pass(time.Second)
		want(t, "the time of a call of c", took(func() { b.callOf(t.Context(), "c", "pid").ok() }), 0)
		wantEqual(t, "the modules served", b.serving(), []string{"a", "c"})
	})
}

// No module waits for ever: at Max, a module that keeps its worker busy gives it
// up when its turn of 100 ms is over and the other's call has waited longer than
// its own.
func TestNoModuleWaitsForEver(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Max: 1})
		ctx, cancel := context.WithCancel(t.Context())
		for range 3 { // which never let the worker be idle
			go func() {
				for ctx.Err() == nil {
					_, _ = b.Call(t.Context(), "a", "work", 10*time.Millisecond)
				}
			}()
		}
		pass(5 * time.Millisecond)
		c := b.callOf(t.Context(), "b", "work", 10*time.Millisecond)
		c.ok()
		if c.took > 150*time.Millisecond {
			t.Errorf("a call beside a busy module took %v", c.took)
		}
		pass(time.Second)
		cancel()
		want(t, "the other module goes on", b.call(t.Context(), "pid").ok() != nil, true)
	})
}

// A module with no calls left does not hold the place of one that has some.
func TestAModuleThatBecomesIdleGivesRoom(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Max: 2, IdleTimeout: -1})
		long := b.callOf(t.Context(), "b", "work", time.Minute)
		short := b.callOf(t.Context(), "c", "work", time.Second)
		pass(time.Millisecond)
		cs := b.calls(2, "work", 10*time.Second)
		short.ok()
		for _, c := range cs[:1] {
			c.ok()
		}
		wantEqual(t, "the modules served", b.serving(), []string{"b", "a"})
		want(t, "the long call is over", long.over(), false)
		for _, c := range cs {
			c.ok()
		}
	})
}

// Preloaded modules are dealt to the Min workers in turn, and loaded when New
// returns; workers without a module adopt the first that needs one.
func TestPreloadedModulesAreReadyAndBlankWorkersAdopt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		load := func(ctx context.Context, _ *pooltest.Worker) error { return wait(ctx, time.Second) }
		b := newBench(t, pool.Options{Min: 3, Preload: []string{"a", "b"}, Launcher: &pooltest.Launcher{OnLoad: load}})
		wantEqual(t, "the modules served", b.serving(), []string{"a", "b", "a"})
		want(t, "the time of two calls", took(func() {
			for _, c := range []*call{b.call(t.Context(), "pid"), b.callOf(t.Context(), "b", "pid")} {
				c.ok()
			}
		}), 0)

		b = newBench(t, pool.Options{Min: 2, Max: 2, Launcher: &pooltest.Launcher{OnLoad: load}})
		wantEqual(t, "the modules served", b.serving(), []string{"", ""})
		b.callOf(t.Context(), "c", "pid").ok()
		b.callOf(t.Context(), "b", "pid").ok()
		wantEqual(t, "the modules served", b.serving(), []string{"c", "b"})
		b.wantLaunched(2)
	})
}

// A module to be preloaded that is not there makes New fail with its name.
func TestPreloadOfAMissingModuleFailsNew(t *testing.T) {
	t.Parallel()
	o := pool.Options{Dir: t.TempDir(), Preload: []string{"nosuch.wasm"}}
	prepare(t, &o)
	_, err := pool.New(o)
	want(t, "the module", as[*pool.ModuleError](t, err).Module, "nosuch.wasm")
}
