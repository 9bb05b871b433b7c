package pool_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmpool/wasmpool/pool"
)

// The calls that wait are bounded by QueueLimit: more are refused at once, and
// surely do not run. Calls that can run at once are never refused.
func TestCallsAboveQueueLimitAreRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Max: 2, QueueLimit: 5})
		running := b.inTurn(2, "hold")
		waiting := b.inTurn(5, "hold")
		for range 10 {
			c := b.call(t.Context(), "crash")
			wantIs(t, c.failed(), pool.ErrQueueFull)
			want(t, "the time", c.took, 0)
		}
		want(t, "Stats.Refused", b.Stats().Refused, 10)
		want(t, "Stats.Waiting", b.Stats().Waiting, 5)
		b.open()
		for _, c := range append(running, waiting...) {
			c.ok()
		}
		b.do("pid") // there is room again
	})
}

// The limit counts for all modules together, and for workers that start.
func TestQueueLimitCountsAllModules(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Max: 2, QueueLimit: 3, Launcher: slowly(time.Second)})
		cs := []*call{b.call(t.Context(), "pid")}
		pass(0)
		cs = append(cs, b.callOf(t.Context(), "b", "pid"), b.callOf(t.Context(), "b", "pid"))
		pass(0)
		wantIs(t, b.callOf(t.Context(), "c", "pid").failed(), pool.ErrQueueFull)
		for _, c := range cs {
			c.ok()
		}
	})
}

// Arguments are bounded by InputBytes, those of the module or of the pool; what
// is too large is told with the limit and not sent.
func TestArgumentsAboveInputBytesAreRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{
			Limits:  pool.Limits{InputBytes: 100},
			Modules: map[string]pool.Module{"a": {Bytes: []byte("a")}, "b": {Bytes: []byte("b"), Limits: pool.Limits{InputBytes: 10}}},
		})
		for module, limit := range map[string]int64{"a": 100, "b": 10} {
			fits, large := make([]byte, limit), make([]byte, limit+1)
			for _, args := range [][]byte{fits, large} {
				for i := range args {
					args[i] = '1'
				}
			}
			if _, err := b.CallRaw(t.Context(), module, "pid", fits); err != nil {
				t.Errorf("%d bytes to %s: %v", limit, module, err)
			}
			_, err := b.CallRaw(t.Context(), module, "pid", large)
			expected := &pool.LimitError{Module: module, Function: "pid", Limit: "input", Value: limit, Unit: "bytes"}
			if diff := cmp.Diff(expected, as[*pool.LimitError](t, err)); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		}
		want(t, "the calls that the pool saw", b.Stats().Calls, 2)
		_, err := b.Call(context.Background(), "b", "pid", "0123456")
		as[*pool.LimitError](t, err) // ["0123456"] has 11 bytes
	})
}
