package pool_test

import (
	"context"
	"encoding/json"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmpool/wasmpool/pool"
	"github.com/wasmpool/wasmpool/pool/pooltest"
)

// Lazy start: with Min 0 there is no process until the first call, which starts
// one; getProcessCount says how many there are.
func TestNoWorkerIsStartedBeforeTheFirstCall(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Launcher: slowly(2 * time.Second)})
		pass(time.Hour)
		want(t, "ProcessCount", b.ProcessCount(), 0)
		c := b.call(t.Context(), "pid")
		synctest.Wait()
		want(t, "ProcessCount during the start", b.ProcessCount(), 1)
		c.ok()
		want(t, "the time of the first call", c.took, 2*time.Second)
		want(t, "ProcessCount", b.ProcessCount(), 1)
	})
}

// Idle processes are stopped after IdleTimeout, counted from their last reply.
func TestAnIdleWorkerEndsAfterIdleTimeoutExactly(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{IdleTimeout: 30 * time.Second})
		b.do("work", time.Second)
		pass(20 * time.Second)
		b.do("work", time.Second) // begins the time anew
		pass(30*time.Second - 1)
		b.wantAlive(1)
		pass(1)
		b.wantAlive(0)
		want(t, "ProcessCount", b.ProcessCount(), 0)
		b.do("pid") // and the next call starts another
		b.wantLaunched(2)
	})
}

// Each idle worker has its own time, and Min of them stay.
func TestIdleWorkersEndOneByOneDownToMin(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Min: 1, Max: 4, IdleTimeout: 10 * time.Second})
		for i := range 4 {
			b.inTurn(1, "work", time.Duration(i+1)*time.Second)
		}
		pass(10 * time.Second) // the first has been idle for 9 s
		for _, alive := range []int{4, 3, 2, 1, 1, 1} {
			b.wantAlive(alive)
			pass(time.Second)
		}
		pass(time.Hour)
		b.wantAlive(1)
	})
}

// A negative IdleTimeout means never.
func TestNegativeIdleTimeoutKeepsWorkers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{IdleTimeout: -1})
		b.do("pid")
		pass(1000 * time.Hour)
		b.wantAlive(1)
	})
}

// A long call is never ended for idleness.
func TestALongCallIsNotIdleness(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{IdleTimeout: time.Second})
		c := b.call(t.Context(), "work", 100*time.Hour)
		c.ok()
		want(t, "the time of the call", c.took, 100*time.Hour)
		b.wantLaunched(1)
	})
}

// Auto scaling: calls at the same time have processes started, up to Max.
func TestWorkersAreStartedForCallsUpToMax(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Max: 4})
		for n := 1; n <= 8; n++ {
			b.inTurn(1, "hold")
			want(t, "ProcessCount", b.ProcessCount(), min(n, 4))
		}
		b.open()
	})
}

// A call need not wait for the start that it caused: it runs wherever capacity
// comes first.
func TestACallDoesNotWaitForTheStartItCaused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Max: 2, Launcher: &pooltest.Launcher{
			OnLaunch: func(ctx context.Context, w *pooltest.Worker) error {
				if w.PID() == 1000 {
					return nil
				}
				return wait(ctx, 20*time.Second)
			},
		}})
		first := b.inTurn(1, "work", time.Second)[0]
		second := b.call(t.Context(), "work", time.Second)
		first.ok()
		second.ok()
		want(t, "the time of the second call", second.took, 2*time.Second)
		want(t, "ProcessCount", b.ProcessCount(), 2)
	})
}

// Slow starts are no failures: 32 prestarted processes that take a while are all
// ready when New returns, and a thousand calls use them all.
func TestThirtyTwoSlowStartsSucceed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var b *bench
		want(t, "the time of New", took(func() {
			b = newBench(t, pool.Options{Min: 32, Max: 32, Launcher: slowly(25 * time.Second)})
		}), 25*time.Second)
		b.wantAlive(32)
		for _, c := range b.calls(32, "hold") {
			defer c.ok()
		}
		for i, n := range b.shares() {
			if n != 1 {
				t.Errorf("worker %d has %d calls, want 1", i+1, n)
			}
		}
		b.open()
	})
}

// Starts take place at the same time, not one after the other.
func TestStartsDoNotWaitForOneAnother(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Max: 10, Launcher: slowly(3 * time.Second)})
		for _, c := range b.calls(10, "work", time.Second) {
			c.ok()
			want(t, "the time of a call", c.took, 4*time.Second)
		}
	})
}

// A call that arrives while a worker is being stopped for idleness does not wait
// for its end: it goes to another that is there, or to a new one.
func TestACallDoesNotWaitForAWorkerThatIsEnding(t *testing.T) {
	bubble(t, func(t *testing.T) {
		slow := &pooltest.Launcher{OnStop: func(ctx context.Context, _ *pooltest.Worker, _ int) { _ = wait(ctx, time.Hour) }}
		b := newBench(t, pool.Options{Min: 1, Max: 3, IdleTimeout: time.Second, StopTimeout: time.Minute, Launcher: slow})
		b.calls(2, "work", time.Second)
		pass(10 * time.Second)
		b.wantAlive(2) // one of them is ending, and takes its time
		want(t, "the time of a call", took(func() { b.do("pid") }), 0)
		b.wantLaunched(2)

		cs := b.calls(2, "work", time.Second)
		for _, c := range cs {
			c.ok()
			want(t, "the time of a call", c.took, time.Second)
		}
		b.wantLaunched(3)
	})
}

// A worker that ends counts in Max until it is gone.
func TestMaxCountsWorkersThatAreEnding(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Max: 1, IdleTimeout: time.Second, Launcher: &pooltest.Launcher{
			OnStop: func(ctx context.Context, _ *pooltest.Worker, _ int) { _ = wait(ctx, 5*time.Second) },
		}})
		b.do("pid")
		pass(2 * time.Second)
		want(t, "ProcessCount", b.ProcessCount(), 1)
		want(t, "the time of a call", took(func() { b.do("pid") }), 4*time.Second)
	})
}

// Concurrency calls run at once in a worker, and no more.
func TestAWorkerRunsConcurrencyCallsAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var running, most atomic.Int32
		b := newBench(t, pool.Options{Max: 2, Concurrency: 4, Launcher: &pooltest.Launcher{
			OnCall: func(ctx context.Context, _ *pooltest.Call) (any, error) {
				most.Store(max(most.Load(), running.Add(1)))
				defer running.Add(-1)
				return nil, wait(ctx, time.Second)
			},
		}})
		for _, c := range b.calls(16, "any") {
			c.ok()
		}
		want(t, "the most that ran at once", most.Load(), 8)
		b.wantLaunched(2)
	})
}

// Spare processes are past their start when they are needed: they count neither
// in Max nor in ProcessCount, and are replaced.
func TestSpareWorkersAreReadyBeforeTheyAreNeeded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Max: 2, Spare: 1, Launcher: slowly(5 * time.Second)})
		pass(5 * time.Second)
		want(t, "ProcessCount", b.ProcessCount(), 0)
		want(t, "Stats.Spare", b.Stats().Spare, 1)
		want(t, "the time of a call", took(func() { b.do("pid") }), 0)
		want(t, "ProcessCount", b.ProcessCount(), 1)
		pass(5 * time.Second)
		want(t, "Stats.Spare", b.Stats().Spare, 1)
	})
}

// A module's state persists across calls in one worker, and a module is loaded
// once per worker: calls change no assignment.
func TestAModuleIsLoadedOncePerWorker(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var loads atomic.Int32
		counts := map[*pooltest.Worker]int{}
		b := newBench(t, pool.Options{Max: 1, Launcher: &pooltest.Launcher{
			OnLoad: func(context.Context, *pooltest.Worker) error { loads.Add(1); return nil },
			OnCall: func(_ context.Context, c *pooltest.Call) (any, error) {
				counts[c.Worker]++
				return counts[c.Worker], nil
			},
		}})
		for want := 1; want <= 50; want++ {
			var got int
			if err := json.Unmarshal(b.do("count"), &got); err != nil || got != want {
				t.Fatalf("call %d found the state %d: %v", want, got, err)
			}
		}
		want(t, "the number of loads", loads.Load(), 1)
	})
}
