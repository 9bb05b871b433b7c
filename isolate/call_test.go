package isolate

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmpool/wasmpool/abi"
	"github.com/wasmpool/wasmpool/isolate/engine"
)

func TestCallEndsAsTheGuestSays(t *testing.T) {
	t.Parallel()
	output := func(g *guest, text string) error { return g.Host.Output([]byte(text)) }
	fail := func(g *guest, text string) error { return g.Host.Fail([]byte(text)) }
	stderr := func(g *guest, text string) { fmt.Fprint(g.Stderr, text) }
	for _, row := range []struct {
		name    string
		guest   func(g *guest) (int32, error)
		code    abi.Code
		payload string
		logs    []string
	}{
		{"output", func(g *guest) (int32, error) { return 0, output(g, "[1]") }, abi.Returned, "[1]", nil},
		{"output twice", func(g *guest) (int32, error) { return 0, errors.Join(output(g, "[111]"), output(g, "[2]")) }, abi.Returned, "[2]", nil},
		{"an empty output", func(g *guest) (int32, error) { return 0, output(g, "") }, abi.Returned, "", nil},
		{"no output", func(*guest) (int32, error) { return 0, nil }, abi.Returned, "null", nil},
		{"fail", func(g *guest) (int32, error) { return 1, fail(g, `{"message":"no"}`) }, abi.Failed, `{"message":"no"}`, nil},
		{"fail twice", func(g *guest) (int32, error) { return -1, errors.Join(fail(g, "first"), fail(g, "no")) }, abi.Failed, "no", nil},
		{"fail with nothing", func(g *guest) (int32, error) { return 1, fail(g, "") }, abi.Failed, "", nil},
		{"no fail", func(*guest) (int32, error) { return -7, nil }, abi.Failed, `{"message":"returned -7"}`, nil},
		{"2 of a direct export", func(*guest) (int32, error) { return 2, nil }, abi.Failed, `{"message":"returned 2"}`, nil},
		{"output and 1", func(g *guest) (int32, error) { return 1, output(g, "[1]") }, abi.Failed, `{"message":"returned 1"}`, nil},
		{"fail and 0", func(g *guest) (int32, error) { return 0, errors.Join(output(g, "[1]"), fail(g, "odd")) }, abi.Returned, "[1]", []string{"0/8 odd"}},
		{"output at its limit", func(g *guest) (int32, error) { return 0, output(g, strings.Repeat("x", 64)) }, abi.Returned, strings.Repeat("x", 64), nil},
		{"output over its limit", func(g *guest) (int32, error) { return 0, output(g, strings.Repeat("x", 65)) }, abi.OverLimit, `{"name":"output","value":64,"unit":"bytes"}`, nil},
		{"fail over its limit", func(g *guest) (int32, error) { return 1, fail(g, strings.Repeat("x", 65)) }, abi.OverLimit, `{"name":"error","value":64,"unit":"bytes"}`, nil},
		{"host over its limit", func(g *guest) (int32, error) { return g.Host.Call([]byte("f"), make([]byte, 65)) }, abi.OverLimit, `{"name":"host payload","value":64,"unit":"bytes"}`, nil},
		{"trap", func(*guest) (int32, error) { return 0, &engine.TrapError{Message: "unreachable", Stack: "a\nb"} }, abi.Trapped, `{"message":"unreachable","name":"Trap","stack":"a\nb"}`, nil},
		{
			"trap with last words", func(g *guest) (int32, error) {
				stderr(g, "panic: boom\n\ngoroutine 1\n")
				return 0, &engine.TrapError{Message: "unreachable"}
			}, abi.Trapped, `{"data":{"stderr":"panic: boom\n\ngoroutine 1\n"},"message":"unreachable: panic: boom","name":"Trap"}`,
			[]string{"2/0 panic: boom", "2/0 ", "2/0 goroutine 1"},
		},
		{
			"exit", func(g *guest) (int32, error) { stderr(g, "bye"); return 0, &engine.ExitError{Code: 0} }, abi.Exited,
			`{"data":{"code":0,"stderr":"bye"},"message":"exited with code 0: bye","name":"Exit"}`,
			[]string{"2/0 bye"},
		},
		{"engine's own fault", func(*guest) (int32, error) { return 0, errors.New("engine: broken") }, abi.Broken, `{"message":"engine: broken","name":"Broken"}`, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			e := &fakeEngine{exports: map[string]func(*guest) (int32, error){
				"f":    row.guest,
				"well": func(g *guest) (int32, error) { return 0, output(g, "true") },
			}}
			x, _, j := load(t, e, Settings{Limits: Limits{OutputBytes: 64, InputBytes: 64}}, nil)
			code, payload := x.Call(0, &Call{Function: "f", DeadlineMS: -1, Host: &scriptedHost{}})
			if code != row.code || string(payload) != row.payload {
				t.Errorf("got %v %s\nwant %v %s", code, payload, row.code, row.payload)
			}
			if diff := cmp.Diff(row.logs, j.take()); diff != "" {
				t.Errorf("logs: %s", diff)
			}
			if code, payload := x.Call(0, &Call{Function: "well", DeadlineMS: -1}); code != abi.Returned || string(payload) != "true" {
				t.Errorf("the next call: got %v %s", code, payload)
			}
			want := 1
			if row.code != abi.Returned && row.code != abi.Failed {
				want = 2
			}
			if got := len(e.instances); got != want || e.instances[0].closed != (want == 2) {
				t.Errorf("%d instances were made, the first closed: %v; want %d", got, e.instances[0].closed, want)
			}
		})
	}
}

func TestCallWithTooMuchInputDoesNotRun(t *testing.T) {
	t.Parallel()
	e := &fakeEngine{exports: map[string]func(*guest) (int32, error){"f": func(*guest) (int32, error) { return 0, nil }}}
	x, _, _ := load(t, e, Settings{Limits: Limits{InputBytes: 4}}, nil)
	for n, want := range map[int]abi.Code{4: abi.Returned, 5: abi.OverLimit} {
		if code, payload := x.Call(0, &Call{Function: "f", DeadlineMS: -1, Arguments: make([]byte, n)}); code != want {
			t.Errorf("%d bytes: got %v %s, want %v", n, code, payload, want)
		}
	}
	if got := e.instances[0].calls; got != 1 {
		t.Errorf("the guest ran %d times, want 1", got)
	}
}

func TestImportsMeanNothingOutsideOfACall(t *testing.T) {
	t.Parallel()
	probe := func(g *guest) error {
		h := g.Host
		if got := len(h.Input()) + len(h.Function()) + len(h.Reply()); got != 0 {
			return fmt.Errorf("input, function and reply have %d bytes", got)
		}
		if got := string(h.Context()); got != "{}" {
			return fmt.Errorf("context is %s", got)
		}
		if status, err := h.Call([]byte("f"), nil); status != abi.HostNotFound || err != nil || h.Cancelled() {
			return fmt.Errorf("host returned %d, %w", status, err)
		}
		return h.Output(make([]byte, 1<<20))
	}
	signalled := errors.New("no signal came")
	e := &fakeEngine{
		exports: map[string]func(*guest) (int32, error){
			"f":             func(g *guest) (int32, error) { return 0, nil },
			"wasmpool_init": func(g *guest) (int32, error) { return 0, probe(g) },
		},
		start:  probe,
		signal: func(g *guest, number int32) error { signalled = probe(g); return signalled },
	}
	x, _, j := load(t, e, Settings{Limits: Limits{OutputBytes: 16}}, nil)
	call := &Call{Function: "f", DeadlineMS: -1, Arguments: []byte("[1]"), Host: &scriptedHost{cancelled: func() bool { return true }}}
	if code, payload := x.Call(0, call); code != abi.Returned || string(payload) != "null" {
		t.Errorf("got %v %s, want null: output before the call was kept", code, payload)
	}
	x.Signal(15)
	if signalled != nil {
		t.Error(signalled)
	}
	if logs := j.take(); logs != nil {
		t.Errorf("logs: %q", logs)
	}
}

func TestHostFunctions(t *testing.T) {
	t.Parallel()
	var seen []string
	host := &scriptedHost{call: func(name string, payload []byte) (int32, []byte) {
		seen = append(seen, name+" "+string(payload))
		switch name {
		case "failing":
			return abi.HostFailed, []byte("why")
		case "late":
			return abi.HostCancelled, []byte("not to be seen")
		}
		return 0, []byte("reply to " + name)
	}}
	var got []string
	e := &fakeEngine{exports: map[string]func(*guest) (int32, error){"f": func(g *guest) (int32, error) {
		for _, name := range []string{"one", "failing", "late", strings.Repeat("n", 256), "two"} {
			status, err := g.Host.Call([]byte(name), []byte("{}"))
			got = append(got, fmt.Sprintf("%d %v %s", status, err, g.Host.Reply()))
		}
		return 0, nil
	}}}
	x, _, _ := load(t, e, Settings{}, nil)
	if code, payload := x.Call(0, &Call{Function: "f", DeadlineMS: -1, Host: host}); code != abi.Returned {
		t.Fatalf("got %v %s", code, payload)
	}
	want := []string{"12 <nil> reply to one", "-1 <nil> why", "-3 <nil> ", "-2 <nil> ", "12 <nil> reply to two"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the guest saw: %s", diff)
	}
	if diff := cmp.Diff([]string{"one {}", "failing {}", "late {}", "two {}"}, seen); diff != "" {
		t.Errorf("the host saw: %s", diff)
	}
}

func TestFreshGivesEveryCallItsOwnInstance(t *testing.T) {
	t.Parallel()
	e := &fakeEngine{exports: map[string]func(*guest) (int32, error){"f": func(g *guest) (int32, error) {
		return 0, g.Host.Output(fmt.Append(nil, g.number))
	}}}
	x, _, _ := load(t, e, Settings{Fresh: true}, nil)
	for want := range 3 {
		if code, payload := x.Call(0, &Call{Function: "f", DeadlineMS: -1}); code != abi.Returned || string(payload) != fmt.Sprint(want) {
			t.Errorf("got %v %s, want instance %d", code, payload, want)
		}
	}
	for i, g := range e.instances {
		if !g.closed || g.calls != 1 {
			t.Errorf("instance %d: closed %v after %d calls", i, g.closed, g.calls)
		}
	}
}

func TestReplacementThatCannotStartFailsItsCallOnly(t *testing.T) {
	t.Parallel()
	e := &fakeEngine{
		exports: map[string]func(*guest) (int32, error){"f": func(g *guest) (int32, error) {
			if g.number == 0 {
				return 0, &engine.TrapError{Message: "unreachable"}
			}
			return 0, nil
		}},
		start: func(g *guest) error {
			if g.number == 1 {
				return &engine.TrapError{Message: "not again"}
			}
			return nil
		},
	}
	x, _, _ := load(t, e, Settings{}, nil)
	for i, want := range []abi.Code{abi.Trapped, abi.Trapped, abi.Returned} {
		code, payload := x.Call(0, &Call{Function: "f", DeadlineMS: -1})
		if code != want {
			t.Errorf("call %d: got %v %s, want %v", i, code, payload, want)
		}
		if got := strings.Contains(string(payload), "InitFailed"); got != (i == 1) {
			t.Errorf("call %d: payload %s", i, payload)
		}
	}
}

func TestSlotsDoNotShareInstances(t *testing.T) {
	t.Parallel()
	e := &fakeEngine{exports: map[string]func(*guest) (int32, error){"f": func(g *guest) (int32, error) {
		return 0, g.Host.Output(fmt.Append(nil, g.number))
	}}}
	x, _, _ := load(t, e, Settings{Slots: 3}, nil)
	for _, slot := range []int{2, 0, 1} {
		if code, payload := x.Call(slot, &Call{Function: "f", DeadlineMS: -1}); code != abi.Returned || string(payload) != fmt.Sprint(slot) {
			t.Errorf("slot %d: got %v %s", slot, code, payload)
		}
	}
	if got := x.MemoryBytes(); got != 3<<16 {
		t.Errorf("MemoryBytes is %d, want %d", got, 3<<16)
	}
}
