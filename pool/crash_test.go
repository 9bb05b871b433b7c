package pool_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmpool/wasmpool/pool"
	"github.com/wasmpool/wasmpool/pool/pooltest"
)

// A worker's running call fails with the unexpected-exit error; those that it
// was sent and had not begun run elsewhere, and other workers know nothing of it.
func TestACrashLosesTheRunningCallAndNoOther(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Max: 2})
		cs := b.inTurn(20, "hold")
		crashed := b.alive()[0]
		want(t, "calls with the worker that will crash", crashed.Has(), 10)
		crashed.Crash()
		synctest.Wait()
		e := as[*pool.UnexpectedExitError](t, cs[0].failed())
		want(t, "the process", e.PID, crashed.PID())
		want(t, "Started", e.Started, true)
		b.wantAlive(2)
		b.open()
		for _, c := range cs[1:] {
			if string(c.ok()) == fmt.Sprint(crashed.PID()) {
				t.Error("a call was answered by the worker that crashed")
			}
		}
		want(t, "Stats.Lost", b.Stats().Lost, 1)
	})
}

// With several calls at once in a worker, those that ran are lost, and those
// that did not are not.
func TestACrashLosesTheCallsThatRanAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Max: 1, Concurrency: 3})
		cs := b.inTurn(10, "hold")
		b.alive()[0].Crash()
		synctest.Wait()
		for _, c := range cs[:3] {
			as[*pool.UnexpectedExitError](t, c.failed())
		}
		b.open()
		for _, c := range cs[3:] {
			c.ok()
		}
	})
}

// Min is restored at once.
func TestMinIsRestoredAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Min: 3})
		for i := range 50 {
			b.alive()[i%3].Crash()
			b.wantAlive(3)
		}
		b.wantLaunched(53)
		b.do("pid")
	})
}

// A prestarted worker that crashed at work is replaced by one of its module,
// which is ready for the next call.
func TestAWorkerLostAtWorkIsReplacedWithItsModule(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Min: 1, Max: 1, Launcher: slowly(time.Second)})
		b.do("pid")
		as[*pool.UnexpectedExitError](t, b.call(t.Context(), "crash").failed())
		pass(time.Second)
		want(t, "the module of the new worker", b.Stats().Workers[0].Module, "a")
		want(t, "the time of the next call", took(func() { b.do("pid") }), 0)
	})
}

// With Min 0 nothing is started for a crash; the next call starts a fresh one.
func TestWithoutMinTheNextCallStartsAFreshWorker(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{})
		as[*pool.UnexpectedExitError](t, b.call(t.Context(), "crash").failed())
		pass(time.Hour)
		b.wantLaunched(1)
		want(t, "ProcessCount", b.ProcessCount(), 0)
		b.do("pid")
		b.wantLaunched(2)
	})
}

// A death after ready never backs off: a function that always crashes costs its
// own calls, and nobody waits.
func TestADeathAfterReadyNeverBacksOff(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Max: 1})
		want(t, "the time of 200 crashes", took(func() {
			for range 100 {
				as[*pool.UnexpectedExitError](t, b.call(t.Context(), "crash").failed())
				b.do("pid")
				as[*pool.UnexpectedExitError](t, b.call(t.Context(), "crash").failed())
			}
		}), 0)
		b.wantLaunched(200)
	})
}

// A worker that ends before it is ready is noticed at once, not at the end of a
// timeout.
func TestAnEndBeforeReadyIsNoticedAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Launcher: &pooltest.Launcher{OnLoad: func(ctx context.Context, w *pooltest.Worker) error {
			w.Crash()
			<-ctx.Done()
			return ctx.Err()
		}}})
		c := b.call(t.Context(), "pid")
		as[*pool.NotReadyError](t, c.failed())
		want(t, "the time", c.took, 0)
	})
}

// A start that fails is not sticky: the next call tries again, after a pause
// that doubles from 10 ms up to 5 s; success ends the pauses.
func TestAFailedStartIsTriedAgainAfterAPause(t *testing.T) {
	bubble(t, func(t *testing.T) {
		broken := true
		b := newBench(t, pool.Options{Launcher: &pooltest.Launcher{OnLoad: func(context.Context, *pooltest.Worker) error {
			if broken {
				return errors.New("broken")
			}
			return nil
		}}})
		for _, pause := range []time.Duration{0, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5000, 5000} {
			c := b.call(t.Context(), "pid")
			as[*pool.NotReadyError](t, c.failed())
			want(t, "the time of a call", c.took, pause*time.Millisecond)
		}
		broken = false
		c := b.call(t.Context(), "pid")
		c.ok()
		want(t, "the time of the call that succeeds", c.took, 5*time.Second)
		as[*pool.UnexpectedExitError](t, b.call(t.Context(), "crash").failed())
		broken = true
		for _, pause := range []time.Duration{0, 10, 20} {
			c := b.call(t.Context(), "pid")
			as[*pool.NotReadyError](t, c.failed())
			want(t, "the time of a call, anew", c.took, pause*time.Millisecond)
		}
		// A pool like that stops like any other.
		want(t, "the time of Stop", took(func() { _ = b.Stop(t.Context()) }), 0)
	})
}

// All calls that wait for a start that fails are told, and Stop does not hang.
func TestAFailedStartFailsTheCallsThatWaitForIt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Launcher: &pooltest.Launcher{OnLaunch: func(ctx context.Context, _ *pooltest.Worker) error {
			if err := wait(ctx, time.Second); err != nil {
				return err
			}
			return errors.New("broken")
		}}})
		cs := b.calls(100, "pid")
		want(t, "the time of Stop", took(func() {
			if err := b.Stop(t.Context()); err != nil {
				t.Error(err)
			}
		}), time.Second)
		for _, c := range cs {
			e := as[*pool.NotReadyError](t, c.failed())
			want(t, "the cause", e.Err.Error(), "broken")
		}
	})
}

// Crash loops have a pause: what Min asks for is tried nine times in three
// seconds, not without end.
func TestAPrestartThatAlwaysFailsHasPauses(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var mu sync.Mutex
		var launches []time.Duration
		broken, begun := false, time.Now()
		b := newBench(t, pool.Options{Min: 1, Launcher: &pooltest.Launcher{OnLaunch: func(context.Context, *pooltest.Worker) error {
			mu.Lock()
			defer mu.Unlock()
			if !broken {
				return nil
			}
			launches = append(launches, time.Since(begun)/time.Millisecond)
			return errors.New("broken")
		}}})
		mu.Lock()
		broken = true
		mu.Unlock()
		b.alive()[0].Crash()
		pass(3 * time.Second)
		mu.Lock()
		wantEqual(t, "the times of the starts, in ms", launches, []time.Duration{0, 10, 30, 70, 150, 310, 630, 1270, 2550})
		broken = false
		mu.Unlock()
		pass(5 * time.Second)
		b.wantAlive(1)
	})
}

// A broken module has its own pauses, and does not harm the others.
func TestABrokenModuleDoesNotHarmTheOthers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Max: 1, Launcher: &pooltest.Launcher{OnLoad: func(_ context.Context, w *pooltest.Worker) error {
			if w.Assignment().Module == "b" {
				return errors.New("broken")
			}
			return nil
		}}})
		for range 10 {
			bad := b.callOf(t.Context(), "b", "pid")
			good := b.call(t.Context(), "pid")
			good.ok()
			want(t, "the time of a call of the other module", good.took, 0)
			as[*pool.NotReadyError](t, bad.failed())
		}
	})
}

// Retry runs a call again that is marked idempotent, until it succeeds: the
// second attempt at once, and later ones after a pause.
func TestRetryRunsAnIdempotentCallAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		crash := func(_ context.Context, c *pooltest.Call) (any, error) {
			if c.Attempt <= 4 {
				c.Worker.Crash()
			}
			return []any{c.Attempt, c.ID}, nil
		}
		b := newBench(t, pool.Options{Retry: true, Launcher: &pooltest.Launcher{OnCall: crash}})
		var got json.RawMessage
		var err error
		want(t, "the time", took(func() { got, err = b.Proxy("a", "f", pool.Idempotent())(t.Context()) }), (10+20+40)*time.Millisecond)
		if err != nil || string(got) != "[5,1]" {
			t.Errorf("the call returned %s, %v", got, err)
		}
		want(t, "Stats.Retried", b.Stats().Retried, 4)
		// Others are not run again.
		_, err = b.Call(t.Context(), "a", "f")
		as[*pool.UnexpectedExitError](t, err)
		// Nor is any without Retry.
		b = newBench(t, pool.Options{Launcher: &pooltest.Launcher{OnCall: crash}})
		_, err = b.Proxy("a", "f", pool.Idempotent())(t.Context())
		as[*pool.UnexpectedExitError](t, err)
	})
}

// Retry ends with the call's context.
func TestRetryEndsWithTheContext(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Retry: true})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		want(t, "the time", took(func() {
			if _, err := b.Proxy("a", "crash", pool.Idempotent())(ctx); err != context.DeadlineExceeded { //nolint:errorlint // it is to come back as it is
				t.Errorf("the call returned %v", err)
			}
		}), 10*time.Second)
	})
}

// A worker that was ready and is lost is told with its exit; one that was asked
// to end is no loss.
func TestLostWorkersAreCounted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d := newDiary()
		b := newBench(t, pool.Options{Min: 1, Preload: []string{"a"}, IdleTimeout: time.Second, Events: pool.Events{
			WorkerExited: func(e pool.WorkerExit) { d.note("%d: %v", e.ID, e.Exit.Signal) },
		}})
		b.calls(2, "work", time.Second)
		b.alive()[0].Crash()
		pass(time.Minute)
		want(t, "Stats.WorkersLost", b.Stats().WorkersLost, 1)
		if !slices.Contains(d.all(), "1: killed") && !slices.Contains(d.all(), "2: killed") {
			t.Errorf("exits: %q", d.all())
		}
	})
}
