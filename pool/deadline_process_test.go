package pool_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/wasmpool/wasmpool/pool"
)

// block is a host function that ends with the test only.
func block(t testing.TB) (host map[string]pool.HostFunc, entered chan struct{}) {
	over := make(chan struct{})
	t.Cleanup(func() { close(over) })
	entered = make(chan struct{}, 100)
	return map[string]pool.HostFunc{
		"block": func(context.Context, []byte) ([]byte, error) {
			entered <- struct{}{}
			<-over // whatever becomes of the context
			return nil, errors.New("over")
		},
	}, entered
}

func TestARunawayIsEndedAtItsDeadlineAndTheCallsBehindItSucceed(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, function string
		args           []any
	}{
		{"a loop", "loop", nil},
		{"a sleep", "sleep", []any{3_600_000}},
		{"a host function that never returns", "host", []any{"block", ""}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			host, _ := block(t)
			exits := make(chan pool.WorkerExit, 10)
			p := start(t, pool.Options{
				Max: 1, CancelGrace: 50 * time.Millisecond, Host: host,
				Events: pool.Events{WorkerExited: func(e pool.WorkerExit) { exits <- e }},
			})
			ctx := within(t)
			if _, err := p.Call(ctx, "echo", "add", 1); err != nil {
				t.Fatal(err)
			}
			var behind sync.WaitGroup
			errs := make(chan error, 20)
			running := p.Proxy("echo", row.function, pool.Timeout(300*time.Millisecond))
			behind.Go(func() {
				_, err := running(ctx, row.args...)
				if !errors.Is(err, context.DeadlineExceeded) {
					errs <- fmt.Errorf("%s(%v) = %w, want a deadline exceeded", row.function, row.args, err)
				}
			})
			for i := range 10 {
				behind.Go(func() {
					got, err := p.Call(ctx, "echo", "add", i, 1)
					if want := fmt.Sprint(i + 1); err != nil || string(got) != want {
						errs <- fmt.Errorf("add(%d, 1) = %s, %w, want %s", i, got, err, want)
					}
				})
			}
			behind.Wait()
			close(errs)
			for err := range errs {
				t.Error(err)
			}
			if row.function == "host" {
				return // the guest is told, and ends by itself
			}
			if e := <-exits; e.Exit.Signal == nil || e.Exit.Reason == nil {
				t.Errorf("the worker of the runaway ended with %v, want it killed, with a reason", e.Exit)
			}
		})
	}
}

func TestACallersContextEndsARunaway(t *testing.T) {
	t.Parallel()
	p := start(t, pool.Options{Max: 1, CancelGrace: -1})
	ctx, cancel := context.WithTimeout(within(t), 200*time.Millisecond)
	defer cancel()
	if _, err := p.Call(ctx, "echo", "loop"); err != context.DeadlineExceeded { //nolint:errorlint // as it is
		t.Errorf("loop() = %v, want the context's own error", err)
	}
	if got, err := p.Call(within(t), "echo", "add", 2, 3); err != nil || string(got) != "5" {
		t.Errorf("add(2, 3) after it = %s, %v, want 5", got, err)
	}
}

func TestRecursionWithoutLoopsEnds(t *testing.T) {
	t.Parallel()
	p := start(t, pool.Options{Max: 1})
	_, err := p.Call(within(t), "echo", "recurse")
	var trap *pool.WorkerError
	if !errors.As(err, &trap) || trap.Name != "Trap" {
		t.Fatalf("recurse() = %v, want a trap", err)
	}
	if got, err := p.Call(within(t), "echo", "add", 2, 3); err != nil || string(got) != "5" {
		t.Errorf("add(2, 3) after it = %s, %v, want 5", got, err)
	}
	if n := p.Stats().WorkersLost; n != 0 {
		t.Errorf("%d workers were lost, want the instance replaced and the process kept", n)
	}
}

func TestAGuestThatAsksWhetherItIsCancelledSavesItsWorker(t *testing.T) {
	t.Parallel()
	p := start(t, pool.Options{Min: 1, Max: 1, Preload: []string{"echo"}, CancelGrace: patience})
	ctx, cancel := context.WithTimeout(within(t), 100*time.Millisecond)
	defer cancel()
	if _, err := p.Call(ctx, "echo", "wait"); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("wait() = %v, want a deadline exceeded", err)
	}
	before := p.Stats().Workers
	if got, err := p.Call(within(t), "echo", "add", 2, 3); err != nil || string(got) != "5" {
		t.Fatalf("add(2, 3) after it = %s, %v, want 5", got, err)
	}
	if after := p.Stats().Workers; len(before) != 1 || len(after) != 1 || before[0].PID != after[0].PID {
		t.Errorf("workers before %v and after %v, want the same one", before, after)
	}
}

func TestNeighboursOfARunaway(t *testing.T) {
	t.Parallel()
	host, entered := block(t)
	release := make(chan struct{})
	host["release"] = func(context.Context, []byte) ([]byte, error) {
		entered <- struct{}{}
		<-release
		return []byte(`"well"`), nil
	}
	p := start(t, pool.Options{Max: 1, Concurrency: 4, CancelGrace: time.Second, Host: host})
	runaway, cancel := context.WithCancel(within(t))
	loop := make(chan error, 1)
	go func() { _, err := p.Call(runaway, "echo", "loop"); loop <- err }()
	for p.Stats().Running < 1 { // it is sent first, and calls start in the order in which they are sent
	}
	quick, slow := make(chan error, 2), make(chan error, 1)
	for range 2 {
		go func() { _, err := p.Call(within(t), "echo", "host", "release", ""); quick <- err }()
	}
	go func() { _, err := p.Call(within(t), "echo", "host", "block", ""); slow <- err }()
	for range 3 {
		<-entered
	}
	cancel()
	if err := <-loop; !errors.Is(err, context.Canceled) {
		t.Errorf("loop() = %v, want that it was cancelled", err)
	}
	close(release) // within the grace
	for range 2 {
		if err := <-quick; err != nil {
			t.Errorf("a neighbour that ends within the grace: %v, want success", err)
		}
	}
	var lost *pool.UnexpectedExitError
	if err := <-slow; !errors.As(err, &lost) || !lost.Started || lost.Because == nil {
		t.Errorf("a neighbour that does not = %v, want that its worker was lost, and why", err)
	}
}

func TestAWorkerWhoseGuestLoopsStillServesItsNeighbours(t *testing.T) {
	t.Parallel()
	logs := make(chan string, 100)
	p := start(t, pool.Options{
		Max: 1, Concurrency: 2, CancelGrace: -1,
		Events: pool.Events{Log: func(r pool.LogRecord) {
			if r.Source == "guest" {
				logs <- r.Message
			}
		}},
	})
	ctx, cancel := context.WithCancel(within(t))
	loop := make(chan error, 1)
	go func() { _, err := p.Call(ctx, "echo", "loop"); loop <- err }()
	for p.Stats().Running < 1 {
	}
	for i := range 2_000 {
		if got, err := p.Call(within(t), "echo", "add", i); err != nil || string(got) != fmt.Sprint(i) {
			t.Fatalf("add(%d) beside a loop = %s, %v", i, got, err)
		}
	}
	if _, err := p.CallRaw(within(t), "echo", "echo", make([]byte, 1<<20)); err != nil {
		t.Errorf("a large call beside a loop: %v", err)
	}
	if _, err := p.Call(within(t), "echo", "log", 0, "heard"); err != nil {
		t.Errorf("log() beside a loop: %v", err)
	}
	if got := <-logs; got != "heard" {
		t.Errorf("logged %q, want %q", got, "heard")
	}
	cancel()
	if err := <-loop; !errors.Is(err, context.Canceled) {
		t.Errorf("loop() = %v, want that it was cancelled", err)
	}
}

func TestTheGuestSeesTheTimeThatItsCallHasLeft(t *testing.T) {
	t.Parallel()
	p := start(t, pool.Options{Max: 1})
	ctx := pool.WithCallOptions(within(t), pool.Timeout(time.Hour), pool.Meta(map[string]any{"tenant": "a"}))
	raw, err := p.Call(ctx, "echo", "context")
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		ID, Attempt int
		Deadline    int64  `json:"deadline_ms"`
		Tenant      string `json:"tenant"`
	}
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	if got.Deadline <= 0 || got.Deadline > patience.Milliseconds() || got.Attempt != 1 || got.ID == 0 || got.Tenant != "a" {
		t.Errorf("context() = %s, want an id, attempt 1, tenant a and at most a minute left", raw)
	}
}
