//go:build linux || darwin

package pool_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/wasmpool/wasmpool/pool"
)

// tally counts, in this process, how often each call ran in a guest: what a
// guest counts itself would be lost with it.
type tally struct {
	mu   sync.Mutex
	runs map[string]int
}

func (c *tally) host() map[string]pool.HostFunc {
	return map[string]pool.HostFunc{"ran": func(_ context.Context, payload []byte) ([]byte, error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.runs[string(payload)]++
		return payload, nil
	}}
}

const callers = 64

// whole reports whether the hammers run at their full size: make hammer says so.
// Under the race detector they never do.
func whole() bool { return os.Getenv("WASMPOOL_HAMMER") == "whole" && !raceEnabled }

// sized is how much of something there is in a hammer: small, unless it runs whole.
func sized[T any](full, small T) T {
	if whole() {
		return full
	}
	return small
}

// hammerSize is how many calls they make.
func hammerSize() int { return sized(20_000, 2_000) }

// TestHammerEveryCallHasExactlyOneOutcome kills a random worker that is ready
// every 20 ms, recycles and resizes, while many callers call.
func TestHammerEveryCallHasExactlyOneOutcome(t *testing.T) {
	for _, row := range []struct {
		name  string
		retry bool
	}{{"without retry", false}, {"with retry", true}} {
		t.Run(row.name, func(t *testing.T) {
			calls := hammerSize()
			c := &tally{runs: make(map[string]int)}
			p := start(t, pool.Options{Min: 2, Max: 4, Host: c.host(), Retry: row.retry, Strategy: pool.Strategy(rand.IntN(4))})
			var options []pool.CallOption
			if row.retry {
				options = append(options, pool.Idempotent())
			}
			call := p.Proxy("echo", "host", options...)
			if _, err := call(within(t), "ran", "first"); err != nil {
				t.Fatal(err)
			}

			ctx, cancel := context.WithTimeout(t.Context(), 10*patience)
			defer cancel()
			stop := make(chan struct{})
			var trouble, callersDone sync.WaitGroup
			trouble.Go(func() { disturb(ctx, t, p, stop) })

			var next atomic.Int64
			var failed atomic.Int64
			outcomes := make([]atomic.Int32, calls)
			for range callers {
				callersDone.Go(func() {
					for i := int(next.Add(1)) - 1; i < calls; i = int(next.Add(1)) - 1 {
						got, err := call(ctx, "ran", strconv.Itoa(i))
						outcomes[i].Add(1)
						var lost *pool.UnexpectedExitError
						switch {
						case err == nil && string(got) != fmt.Sprintf("%q", strconv.Itoa(i)):
							t.Errorf("call %d returned %s, which is another's", i, got)
						case err == nil:
						case row.retry || !errors.As(err, &lost):
							t.Errorf("call %d: %v", i, err)
						case !lost.Started || lost.PID == 0 || lost.Signal == "":
							t.Errorf("call %d: %+v, want to be told that it may have run, the pid and the signal", i, lost)
						default:
							failed.Add(1)
						}
					}
				})
			}
			callersDone.Wait()
			close(stop)
			trouble.Wait()

			once := 0
			for i := range outcomes {
				n := c.runs[fmt.Sprintf("%q", strconv.Itoa(i))]
				if outcomes[i].Load() != 1 {
					t.Errorf("call %d has %d outcomes", i, outcomes[i].Load())
				}
				if n > 1 && !row.retry {
					t.Errorf("call %d ran %d times", i, n)
				}
				if n > 0 {
					once++
				}
			}
			if missing := calls - once; int64(missing) > failed.Load() {
				t.Errorf("%d calls never ran, and %d failed", missing, failed.Load())
			}
			s := p.Stats()
			t.Logf("%d calls: %d may have run on a worker that was lost; %d workers lost, %d runs repeated", calls, failed.Load(), s.WorkersLost, s.Retried)
			if s.WorkersLost == 0 {
				t.Error("no worker was lost: the test shows nothing")
			}
		})
	}
}

// disturb kills, recycles and resizes until stop is closed.
func disturb(ctx context.Context, t *testing.T, p *pool.Pool, stop <-chan struct{}) {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for i := 1; ; i++ {
		select {
		case <-stop:
			return
		case <-ticker.C:
		}
		killOne(p)
		if i%25 == 0 {
			if err := p.Resize(rand.IntN(3), 3+rand.IntN(3)); err != nil {
				t.Errorf("resize: %v", err)
			}
		}
		if i%40 == 0 {
			// One of its workers may be the one that is killed, before it is ready.
			var notReady *pool.NotReadyError
			if err := p.Recycle(ctx); err != nil && !errors.As(err, &notReady) {
				t.Errorf("recycle: %v", err)
			}
		}
	}
}

// killOne kills a random worker that is ready.
func killOne(p *pool.Pool) {
	var ready []int
	for _, w := range p.Stats().Workers {
		if w.State == "serving" && w.PID > 0 {
			ready = append(ready, w.PID)
		}
	}
	if len(ready) > 0 {
		_ = syscall.Kill(ready[rand.IntN(len(ready))], syscall.SIGKILL) // it may have just ended
	}
}

// TestHammerRecycleUnderLoadLosesNothing holds that no call fails for a recycle,
// and that a call which begins after it sees what it brought.
func TestHammerRecycleUnderLoadLosesNothing(t *testing.T) {
	calls, wanted := hammerSize(), sized(50, 10)
	p := start(t, pool.Options{Max: 2, Env: map[string]string{"GENERATION": "0"}})
	env := pool.Func[string](p, "echo", "env")
	if got, err := env(within(t), "GENERATION"); err != nil || got != "0" {
		t.Fatalf("env() = %q, %v, want 0", got, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*patience)
	defer cancel()
	var generation atomic.Int64 // the last whose recycle has returned
	var next, recycles atomic.Int64
	var all sync.WaitGroup
	finished := make(chan struct{})
	all.Go(func() {
		for i := range wanted {
			if err := p.SetEnv(map[string]string{"GENERATION": strconv.Itoa(i + 1)}); err != nil {
				t.Errorf("set env: %v", err)
			}
			if err := p.Recycle(ctx); err != nil {
				t.Errorf("recycle %d: %v", i+1, err)
				break
			}
			generation.Store(int64(i + 1))
			recycles.Add(1)
		}
		close(finished)
	})
	for range callers {
		all.Go(func() {
			for {
				select {
				case <-finished:
					if next.Load() >= int64(calls) {
						return
					}
				default:
				}
				next.Add(1)
				least := generation.Load()
				got, err := env(ctx, "GENERATION")
				if err != nil {
					t.Errorf("env() = %v, want no call to fail", err)
					return
				}
				if n, err := strconv.ParseInt(got, 10, 64); err != nil || n < least {
					t.Errorf("env() = %q after recycle %d had returned", got, least)
				}
			}
		})
	}
	all.Wait()
	if n := recycles.Load(); n != int64(wanted) {
		t.Errorf("%d recycles, want %d", n, wanted)
	}
	t.Logf("%d calls over %d recycles", next.Load(), wanted)
}

// TestHammerStartAndStopLeaveNothing holds that descriptors, goroutines and
// processes do not grow with the number of times that a pool was used.
func TestHammerStartAndStopLeaveNothing(t *testing.T) {
	rounds := sized(100, 10)
	p := start(t, pool.Options{Max: 2, Manual: true})
	use := func() {
		if err := p.Start(within(t)); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Call(within(t), "echo", "add", 1); err != nil {
			t.Fatal(err)
		}
		if err := p.Stop(within(t)); err != nil {
			t.Fatal(err)
		}
	}
	use()
	descriptors, goroutines := openDescriptors(t), runtime.NumGoroutine()
	for range rounds {
		use()
	}
	if n := openDescriptors(t); n > descriptors {
		t.Errorf("%d descriptors are open after %d rounds, %d before", n, rounds, descriptors)
	}
	// A goroutine that has told of its end may need a moment to be gone.
	for deadline := time.Now().Add(patience); runtime.NumGoroutine() > goroutines; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines after %d rounds, %d before", runtime.NumGoroutine(), rounds, goroutines)
		}
	}
}
