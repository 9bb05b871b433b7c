package pool_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmpool/wasmpool/pool"
	"github.com/wasmpool/wasmpool/pool/pooltest"
)

// asking is a pool whose functions call the host function of their name with
// their arguments.
func asking(t *testing.T, o pool.Options) *bench {
	t.Helper()
	o.Launcher = &pooltest.Launcher{OnCall: func(_ context.Context, c *pooltest.Call) (any, error) {
		if c.Function == "leaf" {
			return "leaf", nil
		}
		reply, err := c.Host(c.Function, c.Args)
		return pooltest.Raw(reply), err
	}}
	return newBench(t, o)
}

// A guest calls the functions that it is granted, and no others; those of a
// module replace the pool's.
func TestHostFunctionsAreThoseGranted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		says := func(text string) pool.HostFunc {
			return func(_ context.Context, payload []byte) ([]byte, error) { return []byte(`"` + text + `"`), nil }
		}
		b := asking(t, pool.Options{
			Host: map[string]pool.HostFunc{
				"who": says("pool"),
				"sum": pool.HostJSON(func(_ context.Context, in []int) (int, error) { return in[0] + in[1], nil }),
			},
			Modules: map[string]pool.Module{
				"a": {Bytes: []byte("a")},
				"b": {Bytes: []byte("b"), Host: map[string]pool.HostFunc{"who": says("module")}},
				"c": {Bytes: []byte("c"), Host: map[string]pool.HostFunc{}},
			},
		})
		want(t, "who of a", string(b.do("who")), `"pool"`)
		want(t, "sum of a", string(b.do("sum", 40, 2)), `42`)
		want(t, "who of b", string(b.callOf(t.Context(), "b", "who").ok()), `"module"`)
		for module, function := range map[string]string{"a": "nosuch", "b": "sum", "c": "who"} {
			err := b.callOf(t.Context(), module, function).failed()
			want(t, "the name", as[*pool.WorkerError](t, err).Name, "HostFunctionNotFound")
		}
	})
}

// An error of a host function reaches the guest: by its text, or as it is with
// all members.
func TestHostErrorsReachTheGuest(t *testing.T) {
	bubble(t, func(t *testing.T) {
		whole := &pool.WorkerError{Name: "Denied", Message: "not you", Data: json.RawMessage(`{"who":"you"}`), Extra: map[string]json.RawMessage{"code": json.RawMessage("7")}}
		b := asking(t, pool.Options{Host: map[string]pool.HostFunc{
			"plain": func(context.Context, []byte) ([]byte, error) { return nil, errors.New("no luck") },
			"whole": func(context.Context, []byte) ([]byte, error) { return nil, whole },
			"fits":  pool.HostJSON(func(_ context.Context, in int) (int, error) { return in, nil }),
		}})
		e := as[*pool.WorkerError](t, b.call(t.Context(), "plain").failed())
		want(t, "the plain error", e.Name+": "+e.Message, "HostError: no luck")
		e = as[*pool.WorkerError](t, b.call(t.Context(), "whole").failed())
		got := &pool.WorkerError{Name: e.Name, Message: e.Message, Data: e.Data, Extra: e.Extra}
		if diff := cmp.Diff(whole, got); diff != "" {
			t.Errorf("error (-want +got):\n%s", diff)
		}
		e = as[*pool.WorkerError](t, b.call(t.Context(), "fits", "text").failed())
		if !strings.HasPrefix(e.Message, "the argument does not fit: json: ") {
			t.Errorf("the message is %q", e.Message)
		}
	})
}

// A host function that panics fails its guest's call, is told of with its stack,
// and harms nobody else.
func TestAHostFunctionThatPanicsFailsItsCallOnly(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d := newDiary()
		b := asking(t, pool.Options{
			Host:   map[string]pool.HostFunc{"boom": func(context.Context, []byte) ([]byte, error) { panic("secret") }},
			Events: pool.Events{Error: func(err error) { d.note("%v", err) }},
		})
		e := as[*pool.WorkerError](t, b.call(t.Context(), "boom").failed())
		want(t, "what the guest read", e.Message, `host function "boom" panicked`)
		want(t, "the next call", string(b.do("leaf")), `"leaf"`)
		synctest.Wait()
		told := strings.Join(d.all(), "")
		if !strings.HasPrefix(told, `pool: host function "boom" panicked: secret`) || !strings.Contains(told, "host_test.go") {
			t.Errorf("Events.Error was told %q", told)
		}
		b.wantLaunched(1)
	})
}

// A call that a host function makes into its own pool never waits for a worker:
// it fails at once instead of waiting for ever at Max, and runs where there is
// room.
func TestANestedCallNeverWaits(t *testing.T) {
	for max, wantErr := range map[int]error{1: pool.ErrNested, 2: nil} {
		t.Run(map[int]string{1: "at Max", 2: "with room"}[max], func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				var b *bench
				var nested error
				b = asking(t, pool.Options{Max: max, Host: map[string]pool.HostFunc{
					"again": func(ctx context.Context, _ []byte) ([]byte, error) {
						raw, err := b.Call(ctx, "a", "leaf")
						nested = err
						return raw, err
					},
				}})
				c := b.call(t.Context(), "again")
				<-c.done
				want(t, "the time", c.took, 0)
				if !errors.Is(nested, wantErr) || (nested == nil) != (wantErr == nil) {
					t.Errorf("the nested call returned %v, want %v", nested, wantErr)
				}
				if wantErr == nil {
					want(t, "the result", string(c.ok()), `"leaf"`)
				}
			})
		})
	}
}

// A call into another pool is not nested.
func TestACallIntoAnotherPoolMayWait(t *testing.T) {
	bubble(t, func(t *testing.T) {
		other := newBench(t, pool.Options{Max: 1})
		busy := other.inTurn(1, "work", time.Second)[0]
		b := asking(t, pool.Options{Max: 1, Host: map[string]pool.HostFunc{
			"there": func(ctx context.Context, _ []byte) ([]byte, error) { return other.Call(ctx, "a", "pid") },
		}})
		c := b.call(t.Context(), "there")
		c.ok()
		busy.ok()
		want(t, "the time", c.took, time.Second)
	})
}

// The context of a host function ends with the guest's call.
func TestAHostFunctionEndsWithTheCall(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d := newDiary()
		b := asking(t, pool.Options{Host: map[string]pool.HostFunc{
			"hang": func(ctx context.Context, _ []byte) ([]byte, error) {
				<-ctx.Done()
				d.note("ended")
				return nil, ctx.Err()
			},
		}})
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		wantIs(t, b.call(ctx, "hang").failed(), context.DeadlineExceeded)
		synctest.Wait()
		want(t, "the time", d.at(t, "ended"), 3*time.Second)
		b.wantAlive(1)
	})
}
