package pool_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmpool/wasmpool/pool"
	"github.com/wasmpool/wasmpool/pool/pooltest"
)

// A caller who has given up before the call is told so, and nothing is started.
func TestACallWithAnEndedContextIsNotMade(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := b.call(ctx, "pid").failed(); err != context.Canceled { //nolint:errorlint // it is to come back as it is
			t.Errorf("error is %v, want the context's own", err)
		}
		b.wantLaunched(0)
	})
}

// A cancelled call that waits is removed: it never runs, and the start that was
// under way for everyone goes on.
func TestCancellingAWaitingCallRemovesIt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Max: 1, Launcher: slowly(5 * time.Second)})
		ctx, cancel := context.WithCancel(t.Context())
		c := b.call(ctx, "crash")
		pass(2 * time.Second)
		cancel()
		if err := c.failed(); err != context.Canceled { //nolint:errorlint // it is to come back as it is
			t.Errorf("error is %v, want the context's own", err)
		}
		want(t, "the time", c.took, 2*time.Second)
		want(t, "the time of the next call", took(func() { b.do("pid") }), 3*time.Second)
		b.wantLaunched(1)
		want(t, "Stats.Cancelled", b.Stats().Cancelled, 1)
	})
}

// A cancelled call that was sent ahead and has not begun is withdrawn: it never
// runs, and its worker is left alone.
func TestCancellingACallThatWasSentWithdrawsIt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Max: 1})
		running := b.inTurn(1, "hold")[0]
		ctx, cancel := context.WithCancel(t.Context())
		sent := b.call(ctx, "crash")
		behind := b.inTurn(1, "pid")[0]
		want(t, "calls with the worker", b.alive()[0].Has(), 3)
		cancel()
		wantIs(t, sent.failed(), context.Canceled)
		pass(time.Hour)
		want(t, "calls with the worker", b.alive()[0].Has(), 2)
		b.open()
		running.ok()
		behind.ok()
		b.wantLaunched(1)
	})
}

// A running call's caller returns at once, and the guest is told: one that ends
// within the grace saves its worker.
func TestACancelledCallThatEndsWithinTheGraceSavesItsWorker(t *testing.T) {
	bubble(t, func(t *testing.T) {
		told := false
		b := newBench(t, pool.Options{Max: 1, CancelGrace: 3 * time.Second, Launcher: &pooltest.Launcher{
			OnCall: func(ctx context.Context, c *pooltest.Call) (any, error) {
				if c.Function == "pid" {
					return c.Worker.PID(), nil
				}
				<-ctx.Done()
				told = true
				return nil, wait(context.Background(), 3*time.Second-1)
			},
		}})
		ctx, cancel := context.WithCancel(t.Context())
		c := b.call(ctx, "hold")
		pass(time.Second)
		cancel()
		wantIs(t, c.failed(), context.Canceled)
		want(t, "the time", c.took, time.Second)
		want(t, "the time of the next call", took(func() { b.do("pid") }), 3*time.Second-1)
		want(t, "the guest was told", told, true)
		b.wantLaunched(1)
	})
}

// A running call that does not end within CancelGrace has its process killed,
// exactly then, and replaced; the calls behind it all succeed.
func TestACancelledCallThatDoesNotEndIsKilledAfterTheGrace(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Max: 1, CancelGrace: 3 * time.Second})
		ctx, cancel := context.WithCancel(t.Context())
		c := b.call(ctx, "stubborn", time.Hour)
		synctest.Wait()
		behind := b.inTurn(40, "pid")
		pass(time.Second)
		cancel()
		wantIs(t, c.failed(), context.Canceled)
		want(t, "the time of the cancelled call", c.took, time.Second)
		pass(3*time.Second - 1)
		runaway := b.alive()[0]
		pass(1)
		want(t, "the runaway is alive", runaway.Alive(), false)
		for _, c := range behind {
			want(t, "the time of a call behind it is less", c.over() && c.took == 4*time.Second, true)
			c.ok()
		}
		b.wantLaunched(2)
	})
}

// The calls behind a runaway do not wait for its grace when there are, or may
// be, other workers.
func TestCallsBehindARunawayGoElsewhereAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Max: 2, CancelGrace: time.Minute})
		ctx, cancel := context.WithCancel(t.Context())
		stuck := []*call{b.call(ctx, "stubborn", time.Hour)}
		synctest.Wait()
		other := b.inTurn(1, "work", time.Second)[0]
		behind := b.inTurn(10, "pid")
		cancel()
		wantIs(t, stuck[0].failed(), context.Canceled)
		other.ok()
		for _, c := range behind {
			c.ok()
			want(t, "the time of a call behind it", c.took, time.Second)
		}
	})
}

// A negative CancelGrace kills at once.
func TestNegativeCancelGraceKillsAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Max: 1, CancelGrace: -1})
		ctx, cancel := context.WithCancel(t.Context())
		c := b.call(ctx, "stubborn", time.Hour)
		synctest.Wait()
		cancel()
		wantIs(t, c.failed(), context.Canceled)
		synctest.Wait()
		b.wantAlive(0)
		want(t, "the time of the next call", took(func() { b.do("pid") }), 0)
	})
}

// With Concurrency above 1 neighbours of a runaway that end within the grace
// succeed, and the others are lost because of it.
func TestNeighboursOfARunawayHaveTheSameGrace(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Max: 1, Concurrency: 4, CancelGrace: 2 * time.Second})
		ctx, cancel := context.WithCancel(t.Context())
		runaway := b.call(ctx, "stubborn", time.Hour)
		synctest.Wait()
		early := b.inTurn(1, "work", time.Second)[0]
		last := b.inTurn(1, "work", 2*time.Second-1)[0]
		late := b.inTurn(1, "work", 3*time.Second)[0]
		waiting := b.inTurn(1, "pid")[0]
		cancel()
		wantIs(t, runaway.failed(), context.Canceled)
		early.ok()
		last.ok()
		err := late.failed()
		want(t, "the time of the neighbour that is lost", late.took, 2*time.Second)
		e := as[*pool.UnexpectedExitError](t, err)
		want(t, "Started", e.Started, true)
		if e.Because == nil || e.Because.Error() != "another call in the same worker did not end when its caller gave up" {
			t.Errorf("Because is %v", e.Because)
		}
		waiting.ok()
		want(t, "the time of the call that waited", waiting.took, 2*time.Second)
	})
}

// A context's deadline comes back as itself, and reaches the worker as the time
// that is left.
func TestADeadlineComesBackAsItself(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var left []time.Duration
		b := newBench(t, pool.Options{Max: 1, CallTimeout: time.Hour, Launcher: &pooltest.Launcher{
			OnCall: func(ctx context.Context, c *pooltest.Call) (any, error) {
				left = append(left, c.TimeLeft)
				<-ctx.Done()
				return nil, ctx.Err()
			},
		}})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		pass(4 * time.Second)
		c := b.call(ctx, "f")
		if err := c.failed(); err != context.DeadlineExceeded { //nolint:errorlint // it is to come back as it is
			t.Errorf("error is %v, want the context's own", err)
		}
		want(t, "the time", c.took, 6*time.Second)
		wantEqual(t, "the time left that the worker was told", left, []time.Duration{6 * time.Second})
	})
}

// A call timeout counts the time that a call runs, and not the time it waits; it
// is a deadline, and the runaway is killed after the grace.
func TestCallTimeoutCountsRunningOnly(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Max: 1, CallTimeout: 5 * time.Second, CancelGrace: time.Second, Launcher: slowly(20 * time.Second)})
		first := b.inTurn(1, "work", 4*time.Second)[0]
		second := b.inTurn(1, "work", 4*time.Second)[0]
		third := b.inTurn(1, "stubborn", time.Hour)[0]
		fourth := b.inTurn(1, "pid")[0]
		first.ok()
		second.ok()
		want(t, "the time of the second", second.took, 28*time.Second)
		err := third.failed()
		want(t, "the time of the third", third.took, 33*time.Second)
		e := as[*pool.LimitError](t, err)
		want(t, "the limit", fmt.Sprint(e.Limit, " ", e.Value, e.Unit), "run time 5000000000ns")
		wantIs(t, err, context.DeadlineExceeded)
		fourth.ok() // after the grace, and another start
		want(t, "the time of the fourth", fourth.took, 54*time.Second)
		want(t, "Stats.TimedOut", b.Stats().TimedOut, 1)
	})
}

// The option of a call goes before that of the pool, and that of the context
// before both.
func TestTheNearestTimeoutCounts(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{CallTimeout: 30 * time.Second})
		f := b.Proxy("a", "work", pool.Timeout(20*time.Second))
		for _, row := range []struct {
			ctx  context.Context
			call func(context.Context, ...any) error
			want time.Duration
		}{
			{t.Context(), func(ctx context.Context, args ...any) error { _, err := b.Call(ctx, "a", "work", args...); return err }, 30 * time.Second},
			{t.Context(), func(ctx context.Context, args ...any) error { _, err := f(ctx, args...); return err }, 20 * time.Second},
			{pool.WithCallOptions(t.Context(), pool.Timeout(10*time.Second)), func(ctx context.Context, args ...any) error { _, err := f(ctx, args...); return err }, 10 * time.Second},
		} {
			want(t, "the time", took(func() { wantIs(t, row.call(row.ctx, time.Hour), context.DeadlineExceeded) }), row.want)
		}
	})
}

// A queue timeout ends a call that has not begun, exactly then, whether it was
// sent ahead or not; it surely did not run. One that runs is left alone.
func TestQueueTimeoutCountsWaitingOnly(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Max: 1, QueueTimeout: 3 * time.Second})
		running := b.inTurn(1, "work", 10*time.Second)[0]
		waiting := b.inTurn(40, "crash")
		for _, c := range waiting {
			err := c.failed()
			want(t, "the time", c.took, 3*time.Second)
			e := as[*pool.LimitError](t, err)
			want(t, "the limit", fmt.Sprint(e.Limit, " ", e.Value, e.Unit), "queue time 3000000000ns")
			want(t, "the text", err.Error(), `pool: call "crash": queue time exceeds its limit of 3s`)
			wantIs(t, err, context.DeadlineExceeded)
		}
		running.ok()
		b.wantLaunched(1)
		want(t, "Stats.TimedOut", b.Stats().TimedOut, 40)
	})
}

// The nearest queue timeout counts, too.
func TestQueueTimeoutOfACallGoesBeforeThatOfThePool(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{QueueTimeout: time.Second, Launcher: slowly(20 * time.Second)})
		if _, err := b.Proxy("a", "pid", pool.QueueTimeout(time.Minute))(t.Context()); err != nil {
			t.Error(err)
		}
		var limit *pool.LimitError
		if _, err := b.Proxy("b", "pid")(t.Context()); !errors.As(err, &limit) {
			t.Errorf("error is %v, want a limit", err)
		}
	})
}

// A call that ends by itself at the very moment its caller gives up has one
// outcome, and harms nobody.
func TestGivingUpAtTheMomentOfTheReplyHarmsNobody(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Max: 1})
		for range 50 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			c := b.call(ctx, "stubborn", time.Second)
			<-c.done
			if c.err != nil {
				wantIs(t, c.err, context.DeadlineExceeded)
			}
			cancel()
			b.do("pid")
		}
		b.wantLaunched(1)
		want(t, "Stats.Calls", b.Stats().Calls, 100)
	})
}
