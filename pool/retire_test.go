package pool_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wasmpool/wasmpool/pool"
	"github.com/wasmpool/wasmpool/pool/pooltest"
)

// A worker serves MaxCalls calls, or up to 15 % fewer, and is replaced.
func TestAWorkerIsReplacedAfterMaxCalls(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Min: 1, Max: 1, MaxCalls: 20})
		for range 400 {
			b.do("work", time.Millisecond)
			pass(time.Millisecond) // a successor comes up
		}
		seen := map[int]bool{}
		all := b.launcher.Workers()
		for _, w := range all[:len(all)-1] {
			if n := w.Served(); n < 17 || n > 20 {
				t.Errorf("a worker served %d calls, want 17 to 20", n)
			}
			seen[w.Served()] = true
		}
		if len(seen) < 2 {
			t.Errorf("all workers served as many calls: %v", seen)
		}
		b.wantAlive(1)
	})
}

// Its successor is started first, and the old one serves until that is ready: no
// call waits, and none is lost.
func TestNoCallWaitsForASuccessor(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var slow atomic.Bool
		b := newBench(t, pool.Options{Max: 1, MaxCalls: 5, Launcher: &pooltest.Launcher{
			OnLaunch: func(ctx context.Context, _ *pooltest.Worker) error {
				if slow.Load() {
					return wait(ctx, 3*time.Second)
				}
				return nil
			},
		}})
		b.do("pid")
		slow.Store(true)
		for range 100 {
			want(t, "the time of a call", took(func() { b.do("work", time.Second) }), time.Second)
			if n := b.ProcessCount(); n > 2 {
				t.Fatalf("%d processes", n)
			}
		}
		if n := len(b.launcher.Workers()); n < 100/8-1 || n > 100/4 {
			t.Errorf("%d workers were launched for 100 calls", n)
		}
	})
}

// A worker serves for MaxAge, or up to 15 % less, and is replaced in the same
// way, also when it is idle and Min wants it.
func TestAWorkerIsReplacedAfterMaxAge(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d := newDiary()
		b := newBench(t, pool.Options{
			Min: 1, Max: 1, Preload: []string{"a"}, MaxAge: 100 * time.Second, Launcher: slowly(time.Second),
			Events: pool.Events{
				WorkerStarted: func(w pool.WorkerInfo) { d.note("started %d", w.ID) },
				WorkerExited:  func(w pool.WorkerExit) { d.note("exited %d", w.ID) },
			},
		})
		pass(105 * time.Second)
		began, ended := d.at(t, "started 2"), d.at(t, "exited 1")
		if began < 86*time.Second || began > 101*time.Second {
			t.Errorf("the successor was started at %v, want 86 s to 101 s", began)
		}
		want(t, "from the start of the successor to the old one's end", ended-began, time.Second)
		b.wantAlive(1)
		want(t, "the time of a call", took(func() { b.do("pid") }), 0)
		for range 1000 {
			pass(time.Second)
			want(t, "the time of a call", took(func() { b.do("pid") }), 0)
		}
	})
}

// A call that runs when its worker's age is over is not ended for that.
func TestARunningCallOutlivesMaxAge(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Max: 1, MaxAge: time.Second})
		c := b.call(t.Context(), "work", time.Hour)
		pass(time.Minute)
		want(t, "the time of another call", took(func() { b.do("pid") }), 0)
		c.ok()
		want(t, "the time of the call", c.took, time.Hour)
	})
}

// A worker that holds more than MaxMemoryBytes, or up to 15 % less, is replaced
// within a second, successor first.
func TestAWorkerIsReplacedAboveMaxMemoryBytes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Min: 1, Max: 1, Preload: []string{"a"}, MaxMemoryBytes: 100 << 20, Launcher: slowly(5 * time.Second)})
		w := b.alive()[0]
		w.SetMemory(85 << 20)
		pass(time.Minute)
		b.wantLaunched(1)
		want(t, "Stats.Workers[0].MemoryBytes", b.Stats().Workers[0].MemoryBytes, 85<<20)
		w.SetMemory(100<<20 + 1)
		pass(time.Second)
		b.wantLaunched(2)
		want(t, "the time of a call", took(func() { b.do("pid") }), 0)
		want(t, "the calls that the large worker answered", w.Served(), 1)
		pass(5 * time.Second)
		want(t, "the large worker is alive", w.Alive(), false)
		want(t, "the time of a call", took(func() { b.do("pid") }), 0)
		b.wantLaunched(2)
	})
}

// A successor that does not come up costs nothing: the old one serves on, and
// another is tried.
func TestASuccessorThatDoesNotStartLeavesTheOldOne(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var broken atomic.Bool
		b := newBench(t, pool.Options{Max: 1, MaxCalls: 1, Launcher: &pooltest.Launcher{OnLoad: func(context.Context, *pooltest.Worker) error {
			if broken.Load() {
				return errors.New("broken")
			}
			return nil
		}}})
		first := b.calls(1, "pid")[0]
		first.ok()
		broken.Store(true)
		old := b.alive()[0]
		for range 50 {
			b.do("work", time.Second)
		}
		want(t, "the old worker is alive", old.Alive(), true)
		broken.Store(false)
		for range 6 { // the pauses between two starts are 5 s by now
			b.do("work", time.Second)
		}
		want(t, "the old worker is alive", old.Alive(), false)
	})
}
