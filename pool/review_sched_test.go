package pool_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmpool/wasmpool/pool"
	"github.com/wasmpool/wasmpool/pool/pooltest"
)

// Under Fill, too, a nested call never waits behind the call that made it.
func TestFillPutsNoNestedCallBehindItsCaller(t *testing.T) {
	for most, wantErr := range map[int]error{1: pool.ErrNested, 2: nil} {
		t.Run(fmt.Sprintf("max %d", most), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				var b *bench
				l := &pooltest.Launcher{OnCall: func(_ context.Context, c *pooltest.Call) (any, error) {
					if c.Function == "inner" {
						return "done", nil
					}
					_, err := c.Host("inner", nil)
					return nil, err
				}}
				var nested error
				inner := func(ctx context.Context, _ []byte) ([]byte, error) {
					var reply []byte
					reply, nested = b.Call(ctx, "a", "inner")
					return reply, nested
				}
				b = newBench(t, pool.Options{
					Max: most, Strategy: pool.Fill, CallTimeout: time.Minute, Launcher: l,
					Host: map[string]pool.HostFunc{"inner": inner},
				})
				c := b.call(t.Context(), "outer")
				pass(time.Second)
				want(t, "the call is over", c.over(), true)
				<-c.done
				wantIs(t, nested, wantErr)
			})
		})
	}
}

// A recycle waits for its workers also while the only worker is being replaced.
func TestRecycleOfAWorkerThatIsBeingReplacedLeavesOneServing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Max: 1, MaxCalls: 1, Launcher: slowly(time.Second)})
		b.do("pid") // its successor starts
		synctest.Wait()
		want(t, "Recycle took a start and more", took(func() {
			if err := b.Recycle(t.Context()); err != nil {
				t.Errorf("Recycle: %v", err)
			}
		}) > time.Second, true)
		want(t, "the next call waits for", took(func() { b.do("pid") }), 0)
	})
}

// A worker that ends after a long call only does not keep an idle one from making
// room for another module.
func TestAnIdleWorkerMakesRoomBesideALongCall(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Min: 2, Max: 2})
		b.call(t.Context(), "work", 200*time.Millisecond)
		synctest.Wait()
		b.call(t.Context(), "work", 300*time.Millisecond)
		synctest.Wait()
		long := b.call(t.Context(), "work", 10*time.Hour) // behind the first
		pass(10 * time.Millisecond)
		other := b.callOf(t.Context(), "b", "pid")
		pass(time.Second)
		want(t, "the other module's call is over", other.over(), true)
		long.ok()
	})
}

// Max holds for a generation that is under way when it is set.
func TestResizeHoldsWhileRecycling(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Max: 5, IdleTimeout: -1, Launcher: slowly(time.Second)})
		cs := b.calls(5, "hold")
		pass(2 * time.Second)
		b.open()
		for _, c := range cs {
			c.ok()
		}
		done := make(chan error, 1)
		go func() { done <- b.Recycle(context.Background()) }() // ends with the pool at the latest
		pass(500 * time.Millisecond)
		if err := b.Resize(0, 1); err != nil {
			t.Error(err)
		}
		wantIs(t, <-done, nil)
		pass(time.Minute)
		b.wantAlive(1)
	})
}

// A recycle that waits for places ends though Max becomes less meanwhile.
func TestRecycleEndsThoughMaxBecomesLess(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Max: 3, IdleTimeout: -1})
		long := b.calls(3, "work", 10*time.Minute)
		if err := b.Recycle(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, c := range b.calls(3, "work", time.Second) {
			c.ok()
		}
		done := make(chan error, 1)
		go func() { done <- b.Recycle(context.Background()) }() // ends with the pool at the latest
		pass(time.Second)
		if err := b.Resize(0, 1); err != nil {
			t.Error(err)
		}
		for _, c := range long {
			c.ok()
		}
		pass(time.Minute)
		select {
		case err := <-done:
			wantIs(t, err, nil)
		default:
			t.Error("Recycle has not returned")
		}
	})
}
