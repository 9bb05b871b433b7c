package pool_test

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/wasmpool/wasmpool/pool"
	"github.com/wasmpool/wasmpool/pool/pooltest"
)

// hammer has 64 goroutines make calls while random ready workers crash, the pool is
// recycled, and its bounds change. It returns how many calls were lost, and how
// often each was begun.
func hammer(t *testing.T, o pool.Options, options ...pool.CallOption) (lost int, begun map[int]int) {
	const callers, each = 64, 10
	ok := 0
	begun = make(map[int]int)
	var mu sync.Mutex
	o.Launcher = &pooltest.Launcher{
		OnLaunch: func(ctx context.Context, _ *pooltest.Worker) error { return wait(ctx, time.Millisecond) },
		OnCall: func(ctx context.Context, c *pooltest.Call) (any, error) {
			var args []int
			if err := json.Unmarshal(c.Args, &args); err != nil {
				return nil, err
			}
			mu.Lock()
			begun[args[0]]++
			mu.Unlock()
			return args[0], wait(ctx, time.Duration(args[0]%7)*300*time.Microsecond)
		},
	}
	b := newBench(t, o)
	modules := []func(context.Context, ...any) (int, error){
		pool.Func[int](b.Pool, "a", "f", options...), pool.Func[int](b.Pool, "b", "f", options...),
	}
	var calls, trouble sync.WaitGroup
	over := make(chan struct{})
	for caller := range callers {
		calls.Go(func() {
			for i := range each {
				id := caller*each + i
				got, err := modules[id%2](t.Context(), id)
				mu.Lock()
				var exit *pool.UnexpectedExitError
				switch {
				case err == nil && got == id:
					ok++
				case errors.As(err, &exit) && exit.Started:
					lost++
				default:
					t.Errorf("call %d returned %v, %v", id, got, err)
				}
				mu.Unlock()
			}
		})
	}
	every := func(d time.Duration, do func(r *rand.Rand)) {
		trouble.Go(func() {
			r := rand.New(rand.NewPCG(uint64(d), 1))
			for {
				select {
				case <-over:
					return
				case <-time.After(d):
					do(r)
				}
			}
		})
	}
	every(4*time.Millisecond, func(r *rand.Rand) {
		var ready []int // the PIDs of those that serve
		for _, w := range b.Stats().Workers {
			if w.State == "serving" {
				ready = append(ready, w.PID)
			}
		}
		if len(ready) > 0 {
			b.launcher.Workers()[ready[r.IntN(len(ready))]-1000].Crash()
		}
	})
	every(15*time.Millisecond, func(*rand.Rand) {
		if err := b.Recycle(t.Context()); err != nil {
			t.Errorf("Recycle: %v", err)
		}
	})
	every(7*time.Millisecond, func(r *rand.Rand) {
		if err := b.Resize(r.IntN(2), 2+r.IntN(4)); err != nil {
			t.Errorf("Resize: %v", err)
		}
	})
	calls.Wait()
	close(over)
	trouble.Wait()
	s := b.Stats()
	want(t, "the calls that ended", ok+lost, callers*each)
	want(t, "Stats.Calls", s.Calls, callers*each)
	want(t, "Stats.Returned", s.Returned, uint64(ok))
	want(t, "Stats.Lost", s.Lost, uint64(lost))
	if s.WorkersLost < 5 {
		t.Errorf("only %d workers were lost", s.WorkersLost)
	}
	return lost, begun
}

// Every call ends exactly once, whatever happens to workers: with its result, or
// with an error that says that it may have run. None is run twice.
func TestEveryCallHasOneOutcomeAndRunsOnceAtMost(t *testing.T) {
	bubble(t, func(t *testing.T) {
		lost, begun := hammer(t, pool.Options{Max: 4, CancelGrace: -1})
		if lost == 0 {
			t.Error("no call was lost: the hammer was not hard enough")
		}
		for id, n := range begun {
			if n != 1 {
				t.Errorf("call %d was begun %d times", id, n)
			}
		}
	})
}

// With Retry, functions that are marked idempotent all succeed.
func TestIdempotentCallsAllSucceedWithRetry(t *testing.T) {
	bubble(t, func(t *testing.T) {
		lost, begun := hammer(t, pool.Options{Max: 4, Retry: true}, pool.Idempotent())
		want(t, "the calls lost", lost, 0)
		again := 0
		for _, n := range begun {
			again += n - 1
		}
		if again == 0 {
			t.Error("no call was run again: the hammer was not hard enough")
		}
	})
}

// So they do when several run at once in a worker.
func TestIdempotentCallsAllSucceedWithConcurrency(t *testing.T) {
	bubble(t, func(t *testing.T) {
		lost, _ := hammer(t, pool.Options{Max: 4, Concurrency: 3, Retry: true, MaxCalls: 50, Strategy: pool.Random}, pool.Idempotent())
		want(t, "the calls lost", lost, 0)
	})
}
