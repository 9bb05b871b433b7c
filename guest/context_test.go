package guest_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmpool/wasmpool/guest"
	"github.com/wasmpool/wasmpool/guest/guesttest"
)

// leaked is what the function "leak" got as its context.
var leaked atomic.Value

func init() {
	guest.Export("about", func(ctx context.Context) (guest.Call, error) {
		call, ok := guest.FromContext(context.WithValue(ctx, "k", "v")) //nolint:revive,staticcheck // any key does
		if !ok {
			return call, errors.New("no call")
		}
		return call, nil
	})
	guest.Export("wait", func(ctx context.Context) (string, error) {
		<-ctx.Done()
		return ctx.Err().Error(), nil
	})
	guest.Export("wait in a child", func(ctx context.Context) (string, error) {
		ctx, cancel := context.WithTimeout(ctx, time.Hour)
		defer cancel()
		<-ctx.Done()
		return ctx.Err().Error(), nil
	})
	guest.Export("leak", func(ctx context.Context) error {
		leaked.Store(ctx)
		return ctx.Err()
	})
	guest.Export("ask", func(ctx context.Context, name string, in any) (any, error) {
		var out any
		err := guest.Host(ctx, name, in, &out)
		return out, err
	})
	guest.Export("ask why", func(ctx context.Context, name string) (string, error) {
		err := guest.Host(ctx, name, nil, nil)
		if notGranted, ok := errors.AsType[*guest.NotGrantedError](err); ok {
			return "not granted: " + notGranted.Name, nil
		}
		if errors.Is(err, context.Canceled) {
			return "cancelled", nil
		}
		return "", err
	})
	guest.Export("speak", func(ctx context.Context) {
		guest.Log(ctx, slog.LevelWarn, "two words", "n", 1, "text", "a b")
		guest.Log(ctx, slog.LevelDebug, "")
		log := slog.New(guest.LogHandler(nil)).With("service", "s").WithGroup("g")
		log.InfoContext(ctx, "grouped", "level", slog.LevelError, "msg", "")
		log.DebugContext(ctx, "below the level")
	})
	guest.OnInit(func() error {
		initialized.Add(1)
		return nil
	})
	guest.OnSignal(func(int) { panic("in a hook") })
	guest.OnSignal(func(signal int) { signalled.Store(int64(signal)) })
}

var initialized, signalled atomic.Int64

func TestFromContextTellsWhatTheHostSays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		host := guesttest.Host{Context: map[string]any{
			"id": 7, "attempt": 2, "deadline_ms": 1500, "traceparent": "00-a-b-01", "tenant": "x", "n": []int{1},
		}}
		want := guest.Call{
			ID: 7, Attempt: 2, Deadline: time.Now().Add(1500 * time.Millisecond), Traceparent: "00-a-b-01",
			Meta: map[string]json.RawMessage{"tenant": json.RawMessage(`"x"`), "n": json.RawMessage(`[1]`)},
		}
		result, err := host.Call(t, "about")
		var got guest.Call
		if err == nil {
			err = json.Unmarshal(result, &got)
		}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("error %v, call (-want +got):\n%s", err, diff)
		}
	})
}

func TestFromContextKnowsAContextThatIsNoCalls(t *testing.T) {
	t.Parallel()
	if call, ok := guest.FromContext(t.Context()); ok {
		t.Errorf("got %+v, want none", call)
	}
}

func TestContextEndsWithTheDeadline(t *testing.T) {
	t.Parallel()
	for _, function := range []string{"wait", "wait in a child"} {
		synctest.Test(t, func(t *testing.T) {
			host := guesttest.Host{Context: map[string]any{"deadline_ms": 1500}}
			start := time.Now()
			got, err := host.Call(t, function)
			if want := `"context deadline exceeded"`; err != nil || string(got) != want {
				t.Errorf("%s = %s, %v, want %s", function, got, err, want)
			}
			if took := time.Since(start); took != 1500*time.Millisecond {
				t.Errorf("%s took %v, want 1.5s", function, took)
			}
		})
	}
}

func TestContextEndsSoonAfterTheCallerGaveUp(t *testing.T) {
	t.Parallel()
	for _, function := range []string{"wait", "wait in a child"} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			host := guesttest.Host{Cancelled: func() bool { return time.Since(start) >= time.Second }}
			got, err := host.Call(t, function)
			if want := `"context canceled"`; err != nil || string(got) != want {
				t.Errorf("%s = %s, %v, want %s", function, got, err, want)
			}
			if took := time.Since(start); took < time.Second || took > 1010*time.Millisecond {
				t.Errorf("%s took %v, want 1s and at most 10ms", function, took)
			}
		})
	}
}

func TestContextEndsWithItsCall(t *testing.T) {
	t.Parallel()
	if _, err := guesttest.Call(t, "leak"); err != nil {
		t.Fatal(err)
	}
	ctx := leaked.Load().(context.Context)
	<-ctx.Done()
	if !errors.Is(ctx.Err(), context.Canceled) {
		t.Errorf("after the call: %v, want %v", ctx.Err(), context.Canceled)
	}
}

func TestHostFunctionsReplyFailAndAreNotGranted(t *testing.T) {
	t.Parallel()
	var sent string
	host := guesttest.Host{Granted: map[string]func(context.Context, json.RawMessage) (any, error){
		"double": func(_ context.Context, in json.RawMessage) (any, error) {
			sent = string(in)
			return []string{sent, sent}, nil
		},
		"fail": func(context.Context, json.RawMessage) (any, error) {
			return nil, &guest.Error{Name: "N", Message: "m", Data: 7, Extra: map[string]json.RawMessage{"code": json.RawMessage("8")}}
		},
	}}
	got, err := host.Call(t, "ask", "double", map[string]int{"a": 1})
	if want := `["{\"a\":1}","{\"a\":1}"]`; err != nil || string(got) != want || sent != `{"a":1}` {
		t.Errorf("double = %s, %v, want %s", got, err, want)
	}

	_, err = host.Call(t, "ask", "fail", nil)
	want := &guest.Error{Name: "N", Message: "m", Data: json.RawMessage("7"), Extra: map[string]json.RawMessage{"code": json.RawMessage("8")}}
	if diff := cmp.Diff(error(want), err); diff != "" {
		t.Errorf("fail: error (-want +got):\n%s", diff)
	}

	got, err = host.Call(t, "ask why", "missing")
	if want := `"not granted: missing"`; err != nil || string(got) != want {
		t.Errorf("missing = %s, %v, want %s", got, err, want)
	}

	host.Cancelled = func() bool { return true }
	got, err = host.Call(t, "ask why", "double")
	if want := `"cancelled"`; err != nil || string(got) != want {
		t.Errorf("double when cancelled = %s, %v, want %s", got, err, want)
	}
	if err := guest.Host(t.Context(), "double", nil, nil); err == nil || err.Error() != `guest: no host function "double" is granted` {
		t.Errorf("outside a call: %v, want not granted", err)
	}
}

func TestLogSendsTheMessageAndItsAttributes(t *testing.T) {
	t.Parallel()
	var host guesttest.Host
	if _, err := host.Call(t, "speak"); err != nil {
		t.Fatal(err)
	}
	want := []guesttest.Record{
		{Level: slog.LevelWarn, Text: `two words n=1 text="a b"`},
		{Level: slog.LevelDebug, Text: ``},
		{Level: slog.LevelInfo, Text: `grouped service=s g.level=ERROR g.msg=""`},
	}
	if diff := cmp.Diff(want, host.Logs()); diff != "" {
		t.Errorf("logs (-want +got):\n%s", diff)
	}
}

func TestHooksRunAndAPanicInOneDoesNotStopTheOthers(t *testing.T) {
	t.Parallel()
	var host guesttest.Host
	if err := host.Init(t); err != nil || initialized.Load() != 1 {
		t.Errorf("init: %v, ran %d times, want once", err, initialized.Load())
	}
	host.Signal(t, 15)
	if got := signalled.Load(); got != 15 {
		t.Errorf("the second signal hook saw %d, want 15", got)
	}
}
