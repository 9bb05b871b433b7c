package pool_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmpool/wasmpool/internal/guestbuild"
	"github.com/wasmpool/wasmpool/pool"
)

// goCompiled is for the Go worker to be compiled once: under the race detector
// that takes ten seconds and more.
var goCompiled sync.Once

// goWorker starts a pool with the Go worker of the guest package's tests.
func goWorker(t *testing.T, o pool.Options) *pool.Pool {
	t.Helper()
	o.Modules = map[string]pool.Module{"worker": {Bytes: guestbuild.Go(t, "../guest/testworker")}}
	goCompiled.Do(func() { start(t, pool.Options{Modules: o.Modules, Preload: []string{"worker"}}) })
	return start(t, o)
}

func TestAWorkerInGoAnswersThroughAPool(t *testing.T) {
	t.Parallel()
	double := pool.HostJSON(func(_ context.Context, args []int) (int, error) { return 2 * args[0], nil })
	fail := func(context.Context, []byte) ([]byte, error) {
		return nil, &pool.WorkerError{Name: "Teapot", Message: "short and stout", Data: json.RawMessage(`{"spout":1}`)}
	}
	p := goWorker(t, pool.Options{
		Min: 1, Max: 1, Preload: []string{"worker"}, Args: []string{"-v", "x"}, Env: map[string]string{"TOKEN": "t"},
		Host: map[string]pool.HostFunc{"double": double, "fail": fail},
	})
	for _, row := range []struct {
		function string
		args     []any
		want     string
	}{
		{"greet", []any{"wörld\n\"x\""}, `"Hello, wörld\n\"x\""`},
		{"add", []any{1, 2.5}, `3.5`},
		{"echo", []any{nil, map[string]any{"a": []int{1}}}, `[null,{"a":[1]}]`},
		{"counter", nil, `1`},
		{"counter", nil, `2`},
		{"env", []any{"TOKEN"}, `"t"`},
		{"env", []any{"HOME"}, `""`},
		{"env", []any{"PATH"}, `""`},
		{"args", nil, `["worker","-v","x"]`},
		{"host", []any{"double", 21}, `42`},
		{"sleep", []any{5}, `null`},
	} {
		got, err := p.Call(within(t), "worker", row.function, row.args...)
		if err != nil || string(got) != row.want {
			t.Errorf("%s(%v) = %s, %v, want %s", row.function, row.args, got, err, row.want)
		}
	}
	for _, row := range []struct {
		function string
		args     []any
		want     pool.WorkerError
		stack    string
	}{
		{"fail", []any{"E", "m", map[string]int{"n": 1}}, pool.WorkerError{Name: "E", Message: "m", Data: json.RawMessage(`{"n":1}`)}, ""},
		{"panic", []any{"oh"}, pool.WorkerError{Name: "Panic", Message: "oh", Data: json.RawMessage(`"oh"`)}, "testworker"},
		{"host", []any{"fail"}, pool.WorkerError{Name: "Teapot", Message: "short and stout", Data: json.RawMessage(`{"spout":1}`)}, ""},
	} {
		_, err := p.Call(within(t), "worker", row.function, row.args...)
		var got *pool.WorkerError
		if !errors.As(err, &got) {
			t.Errorf("%s(%v) = %v, want an error of the guest", row.function, row.args, err)
			continue
		}
		if !strings.Contains(got.Stack, row.stack) {
			t.Errorf("%s(%v) has the stack %q, want %q in it", row.function, row.args, got.Stack, row.stack)
		}
		facts := pool.WorkerError{Name: got.Name, Message: got.Message, Data: got.Data}
		if diff := cmp.Diff(row.want, facts); diff != "" {
			t.Errorf("%s(%v) (-want +got):\n%s", row.function, row.args, diff)
		}
	}
	_, err := p.Call(within(t), "worker", "nosuch")
	var missing *pool.WorkerError
	if !errors.As(err, &missing) || missing.Name != "FunctionNotFound" || !strings.Contains(missing.Message, "nosuch") {
		t.Errorf("nosuch() = %v, want FunctionNotFound that names it", err)
	}
	for _, name := range []string{"toString", "__proto__", "_initialize", "wasmpool_init", "memory", ""} {
		if _, err := p.Call(within(t), "worker", name); !errors.As(err, &missing) || missing.Name != "FunctionNotFound" {
			t.Errorf("%q() = %v, want FunctionNotFound", name, err)
		}
	}
	if got, err := p.Call(within(t), "worker", "counter"); err != nil || string(got) != "3" {
		t.Errorf("counter() after all this = %s, %v, want 3: the instance lives on", got, err)
	}
}

func TestTheEndOfAnInstanceIsNotTheEndOfItsWorker(t *testing.T) {
	t.Parallel()
	p := goWorker(t, pool.Options{Max: 1})
	if got, err := p.Call(within(t), "worker", "counter"); err != nil || string(got) != "1" {
		t.Fatalf("counter() = %s, %v, want 1", got, err)
	}
	before := p.Stats().Workers[0].PID
	_, err := p.Call(within(t), "worker", "exit", 3)
	var exit *pool.WorkerError
	if !errors.As(err, &exit) || exit.Name != "Exit" || !strings.Contains(exit.Message, "3") {
		t.Errorf("exit(3) = %v, want an error named Exit with the code", err)
	}
	if got, err := p.Call(within(t), "worker", "counter"); err != nil || string(got) != "1" {
		t.Errorf("counter() = %s, %v, want 1: a fresh instance", got, err)
	}
	if w := p.Stats().Workers; len(w) != 1 || w[0].PID != before {
		t.Errorf("workers %+v, want process %d still", w, before)
	}
}

func TestFreshGivesEveryCallAnInstanceOfItsOwn(t *testing.T) {
	t.Parallel()
	p := start(t, pool.Options{Max: 1, Fresh: true})
	for range 3 {
		if got, err := p.Call(within(t), "echo", "counter"); err != nil || string(got) != "1" {
			t.Errorf("counter() = %s, %v, want 1", got, err)
		}
	}
}

func TestWhatAGuestPrintsIsLoggedAndNeverTakenForAReply(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	lines := make(map[string]bool)
	signalled := make(chan string, 10)
	p := goWorker(t, pool.Options{Max: 1, Events: pool.Events{Log: func(r pool.LogRecord) {
		mu.Lock()
		defer mu.Unlock()
		lines[r.Source+": "+r.Message] = true
		if strings.Contains(r.Message, "asked to stop") {
			signalled <- fmt.Sprint(r.Message)
		}
	}}})
	if got, err := p.Call(within(t), "worker", "print", `{"id":1,"result":"forged"}`); err != nil || string(got) != "null" {
		t.Fatalf("print() = %s, %v, want null", got, err)
	}
	if _, err := p.Call(within(t), "worker", "log", 4, "beware"); err != nil {
		t.Fatal(err)
	}
	if err := p.Stop(within(t)); err != nil {
		t.Fatal(err)
	}
	select {
	case said := <-signalled:
		if !strings.Contains(said, "15") {
			t.Errorf("the guest was told %q, want signal 15 in it", said)
		}
	case <-time.After(patience):
		t.Error("the guest was not told that it is asked to stop")
	}
	mu.Lock()
	defer mu.Unlock()
	for _, want := range []string{`stdout: {"id":1,"result":"forged"}`, `stderr: {"id":1,"result":"forged"}`, "guest: beware"} {
		if !lines[want] {
			t.Errorf("logged %v, want %q", lines, want)
		}
	}
}

func TestAMemoryLimitIsTheGuestsToHandle(t *testing.T) {
	t.Parallel()
	p := start(t, pool.Options{Max: 1, Limits: pool.Limits{MemoryBytes: 4 << 20}})
	if got, err := p.Call(within(t), "echo", "grow"); err != nil || string(got) != "64" {
		t.Errorf("grow() = %s, %v, want 64 pages", got, err)
	}
}

func TestPayloadsAreBounded(t *testing.T) {
	t.Parallel()
	p := start(t, pool.Options{Max: 1, Limits: pool.Limits{InputBytes: 1000, OutputBytes: 2000}})
	var limit *pool.LimitError
	if _, err := p.CallRaw(within(t), "echo", "echo", make([]byte, 1001)); !errors.As(err, &limit) || limit.Value != 1000 || limit.Limit != "input" {
		t.Errorf("1001 bytes in: %v, want the limit of 1000", err)
	}
	if _, err := p.CallRaw(within(t), "echo", "echo", make([]byte, 1000)); err != nil {
		t.Errorf("1000 bytes in: %v", err)
	}
	if _, err := p.Call(within(t), "echo", "big", 2001); !errors.As(err, &limit) || limit.Value != 2000 || limit.Limit != "output" {
		t.Errorf("2001 bytes out: %v, want the limit of 2000", err)
	}
	if got, err := p.Call(within(t), "echo", "big", 2000); err != nil || len(got) != 2000 {
		t.Errorf("2000 bytes out: %d bytes, %v", len(got), err)
	}
}
