package pool_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmpool/wasmpool/pool"
	"github.com/wasmpool/wasmpool/pool/pooltest"
)

// states are what a pool says of itself.
func states(p *pool.Pool) string {
	return fmt.Sprintf("started %v, stopping %v, stopped %v, %d processes", p.IsStarted(), p.IsStopping(), p.IsStopped(), p.ProcessCount())
}

// New starts the pool unless told not to, and returns when Min workers are
// ready, not before.
func TestNewReturnsWhenMinWorkersAreReady(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var b *bench
		d := took(func() { b = newBench(t, pool.Options{Min: 2, Launcher: slowly(3 * time.Second)}) })
		want(t, "the time of New", d, 3*time.Second)
		want(t, "the state", states(b.Pool), "started true, stopping false, stopped false, 2 processes")
		b.wantAlive(2)
	})
}

// The option start: false. Start then returns when Min workers are ready; the
// start event is told just before that.
func TestStartEventComesJustBeforeStartReturns(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d := newDiary()
		b := newBench(t, pool.Options{Min: 2, Manual: true, Preload: []string{"a"}, Events: d.events(), Launcher: slowly(time.Second)})
		want(t, "the state", states(b.Pool), "started false, stopping false, stopped true, 0 processes")
		b.wantLaunched(0)
		want(t, "the time of Start", took(func() {
			if err := b.Start(t.Context()); err != nil {
				t.Error(err)
			}
			d.note("Start returned")
		}), time.Second)
		lines := d.all()
		slices.Sort(lines[2:4]) // both become ready in one instant
		if diff := cmp.Diff([]string{"started 1", "started 2", "ready 1 a", "ready 2 a", "start", "Start returned"}, lines); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

// Start on a started pool does nothing.
func TestStartOfAStartedPoolDoesNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d := newDiary()
		b := newBench(t, pool.Options{Min: 1, Events: d.events(), Launcher: slowly(time.Second)})
		before := d.all()
		want(t, "the time of Start", took(func() {
			if err := b.Start(t.Context()); err != nil {
				t.Error(err)
			}
		}), 0)
		b.wantLaunched(1)
		if diff := cmp.Diff(before, d.all()); diff != "" {
			t.Errorf("events (-before +after):\n%s", diff)
		}
	})
}

// Several that start at once have one start between them.
func TestStartsAtTheSameTimeAreOneStart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Min: 1, Manual: true, Launcher: slowly(time.Second)})
		errs := make(chan error, 3)
		for range cap(errs) {
			go func() { errs <- b.Start(t.Context()) }()
		}
		for range cap(errs) {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
		b.wantLaunched(1)
	})
}

// Calls before start, while stopping and after stop are refused, each with the
// error that says which. ErrStopped is ErrNotStarted, too, and not the reverse.
func TestCallsAreRefusedUnlessThePoolIsStarted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Manual: true})
		ctx := t.Context()
		err := b.call(ctx, "pid").failed()
		wantIs(t, err, pool.ErrNotStarted)
		if errors.Is(err, pool.ErrStopped) {
			t.Errorf("a pool that was never started says it has stopped: %v", err)
		}

		if err := b.Start(ctx); err != nil {
			t.Fatal(err)
		}
		held := b.call(ctx, "hold")
		synctest.Wait()
		stopped := make(chan error)
		go func() { stopped <- b.Stop(ctx) }()
		synctest.Wait()
		want(t, "the state", states(b.Pool), "started false, stopping true, stopped false, 1 processes")
		for _, err := range []error{b.call(ctx, "pid").failed(), b.Recycle(ctx)} {
			wantIs(t, err, pool.ErrStopped)
			wantIs(t, err, pool.ErrNotStarted)
		}

		b.open()
		held.ok()
		if err := <-stopped; err != nil {
			t.Error(err)
		}
		want(t, "the state", states(b.Pool), "started false, stopping false, stopped true, 0 processes")
		wantIs(t, b.call(ctx, "pid").failed(), pool.ErrStopped)
		b.wantLaunched(1)
	})
}

// Restart after stop works, as often as one likes.
func TestAStoppedPoolStartsAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d := newDiary()
		b := newBench(t, pool.Options{Min: 1, Events: pool.Events{Start: d.events().Start, Stop: d.events().Stop}})
		for range 3 {
			b.do("pid")
			if err := b.Stop(t.Context()); err != nil {
				t.Error(err)
			}
			b.wantAlive(0)
			if err := b.Start(t.Context()); err != nil {
				t.Error(err)
			}
			b.wantAlive(1)
		}
		b.do("pid")
		if diff := cmp.Diff([]string{"start", "stop", "start", "stop", "start", "stop", "start"}, d.all()); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

// Recycle of a stopped pool is a start.
func TestRecycleOfAStoppedPoolStartsIt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d := newDiary()
		b := newBench(t, pool.Options{Min: 1, Manual: true, Launcher: slowly(time.Second), Events: pool.Events{Start: d.events().Start, Recycle: d.events().Recycle}})
		want(t, "the time of Recycle", took(func() {
			if err := b.Recycle(t.Context()); err != nil {
				t.Error(err)
			}
		}), time.Second)
		want(t, "the state", states(b.Pool), "started true, stopping false, stopped false, 1 processes")
		if diff := cmp.Diff([]string{"start"}, d.all()); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

// Stop of a stopped pool is fine, and so are several stops at once: each returns
// when the pool has stopped.
func TestStopMayBeCalledAgainAndAtTheSameTime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Min: 1})
		b.call(t.Context(), "work", time.Second)
		synctest.Wait()
		times := make(chan time.Duration, 3)
		for range cap(times) {
			go func() {
				times <- took(func() {
					if err := b.Stop(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}()
		}
		for range cap(times) {
			want(t, "the time of Stop", <-times, time.Second)
		}
		if err := b.Stop(t.Context()); err != nil {
			t.Errorf("Stop of a stopped pool: %v", err)
		}
		if err := b.Close(); err != nil {
			t.Errorf("Close of a stopped pool: %v", err)
		}
		// And of one that was never started.
		b = newBench(t, pool.Options{Manual: true})
		if err := b.Stop(t.Context()); err != nil {
			t.Errorf("Stop of a new pool: %v", err)
		}
	})
}

// Stop drains: the example of the README of @jjavery/worker-pool, 1,000 calls
// and then a stop, loses none of them.
func TestStopLetsAThousandCallsEnd(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Min: 1, Max: 5, Strategy: pool.Fill, Full: 10, Launcher: slowly(50 * time.Millisecond)})
		cs := b.calls(1000, "work", 100*time.Millisecond)
		want(t, "the time of Stop", took(func() {
			if err := b.Stop(t.Context()); err != nil {
				t.Error(err)
			}
		})%(50*time.Millisecond), 0)
		pids := map[string]int{}
		for _, c := range cs {
			want(t, "a call is over when Stop returns", c.over(), true)
			pids[string(c.ok())]++
		}
		want(t, "the number of workers that answered", len(pids), 5)
		want(t, "Stats.Returned", b.Stats().Returned, 1000)
	})
}

// Stop starts workers for calls that still wait for one.
func TestStopStartsTheWorkersThatItsCallsNeed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Launcher: slowly(time.Second)})
		c := b.call(t.Context(), "pid")
		synctest.Wait()
		if err := b.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		c.ok()
	})
}

// Stop escalates: the stop signal first, and after StopTimeout, to the
// nanosecond, the end.
func TestStopKillsAfterStopTimeout(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d := newDiary()
		b := newBench(t, pool.Options{
			Min: 3, StopTimeout: 7 * time.Second, StopSignal: 2,
			Launcher: &pooltest.Launcher{OnStop: func(ctx context.Context, w *pooltest.Worker, signal int) {
				d.note("signal %d", signal)
				switch w.PID() {
				case 1000: // ends at once
				case 1001:
					_ = wait(ctx, 5*time.Second)
				default:
					<-ctx.Done()
				}
			}},
			Events: pool.Events{WorkerExited: func(e pool.WorkerExit) { d.note("exited %d: %v", e.PID, e.Exit.Signal) }},
		})
		d.begun = time.Now()
		want(t, "the time of Stop", took(func() { _ = b.Stop(t.Context()) }), 7*time.Second)
		want(t, "the time of the signal", d.at(t, "signal 2"), 0)
		want(t, "the end of one that ends at once", d.at(t, "exited 1000: <nil>"), 0)
		want(t, "the end of one that takes 5 s", d.at(t, "exited 1001: <nil>"), 5*time.Second)
		want(t, "the end of one that never ends", d.at(t, "exited 1002: killed"), 7*time.Second)
	})
}

// SIGKILL as the stop signal goes out directly: nobody is asked.
func TestStopSignalKillAsksNobody(t *testing.T) {
	bubble(t, func(t *testing.T) {
		for _, o := range []pool.Options{{StopSignal: 9}, {StopTimeout: -1}} {
			asked := false
			o.Min = 2
			o.Launcher = &pooltest.Launcher{OnStop: func(ctx context.Context, _ *pooltest.Worker, _ int) { asked = true; <-ctx.Done() }}
			b := newBench(t, o)
			b.do("pid")
			want(t, "the time of Stop", took(func() { _ = b.Stop(t.Context()) }), 0)
			want(t, "somebody was asked", asked, false)
			b.wantAlive(0)
		}
	})
}

// Stop waits for a worker that was already being stopped for idleness.
func TestStopWaitsForAWorkerThatIsEndingForIdleness(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{IdleTimeout: time.Second, Launcher: &pooltest.Launcher{
			OnStop: func(ctx context.Context, _ *pooltest.Worker, _ int) { _ = wait(ctx, 4*time.Second) },
		}})
		b.do("pid")
		pass(2 * time.Second) // it was asked to end a second ago
		b.wantAlive(1)
		want(t, "the time of Stop", took(func() { _ = b.Stop(t.Context()) }), 3*time.Second)
		want(t, "the state", states(b.Pool), "started false, stopping false, stopped true, 0 processes")
	})
}

// Stop whose context ends kills what is left, and says so with that error: what
// ran is lost, what waited is refused.
func TestStopKillsWhenItsContextEnds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Max: 1})
		running := b.calls(1, "hold")[0]
		waiting := b.calls(40, "hold")
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		want(t, "the time of Stop", took(func() {
			if err := b.Stop(ctx); err != context.DeadlineExceeded { //nolint:errorlint // it is to come back as it is
				t.Errorf("Stop: %v, want the context's own error", err)
			}
		}), 2*time.Second)
		want(t, "the state", states(b.Pool), "started false, stopping false, stopped true, 0 processes")
		lost := as[*pool.UnexpectedExitError](t, running.failed())
		if lost.Because == nil || lost.Because.Error() != "the pool stopped" || !lost.Started {
			t.Errorf("the running call was told %+v", lost)
		}
		for _, c := range waiting {
			wantIs(t, c.failed(), pool.ErrStopped)
		}
	})
}

// Close is a stop within StopTimeout in all: what runs for longer is killed.
func TestCloseStopsWithinStopTimeout(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Min: 1, StopTimeout: 3 * time.Second})
		short, long := b.call(t.Context(), "work", time.Second), b.call(t.Context(), "hold")
		synctest.Wait()
		want(t, "the time of Close", took(func() { wantIs(t, b.Close(), context.DeadlineExceeded) }), 3*time.Second)
		short.ok()
		as[*pool.UnexpectedExitError](t, long.failed())
		b.wantAlive(0)

		b = newBench(t, pool.Options{Min: 1})
		if err := b.Close(); err != nil {
			t.Errorf("Close of an idle pool: %v", err)
		}
	})
}

// Stop during a start ends it: Start says that the pool stopped, and nothing is
// left.
func TestStopDuringAStartEndsIt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Min: 2, Manual: true, Launcher: slowly(20 * time.Second)})
		started := make(chan error)
		go func() { started <- b.Start(t.Context()) }()
		pass(time.Second)
		want(t, "the state", states(b.Pool), "started false, stopping false, stopped false, 2 processes")
		want(t, "the time of Stop", took(func() {
			if err := b.Stop(t.Context()); err != nil {
				t.Error(err)
			}
		}), 0)
		wantIs(t, <-started, pool.ErrStopped)
		b.wantAlive(0)
		if err := b.Start(t.Context()); err != nil {
			t.Errorf("the next start: %v", err)
		}
	})
}

// Start whose context ends leaves nothing, and the next one works.
func TestStartWhoseContextEndsLeavesNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Min: 2, Manual: true, Launcher: slowly(10 * time.Second)})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := b.Start(ctx); err != context.DeadlineExceeded { //nolint:errorlint // it is to come back as it is
			t.Errorf("Start: %v, want the context's own error", err)
		}
		want(t, "the state", states(b.Pool), "started false, stopping false, stopped true, 0 processes")
		if err := b.Start(t.Context()); err != nil {
			t.Errorf("the next start: %v", err)
		}
		b.wantAlive(2)
	})
}

// A start that waits for the end of a stop begins when that is over.
func TestStartWhileStoppingWaitsForTheStop(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Min: 1})
		b.call(t.Context(), "work", 5*time.Second)
		synctest.Wait()
		go func() { _ = b.Stop(t.Context()) }()
		synctest.Wait()
		want(t, "the time of Start", took(func() {
			if err := b.Start(t.Context()); err != nil {
				t.Error(err)
			}
		}), 5*time.Second)
		b.do("pid")
	})
}

// A failed start leaves nothing running, ends at once, and is not sticky: the
// next start tries again.
func TestAFailedStartLeavesNothingAndIsNotSticky(t *testing.T) {
	bubble(t, func(t *testing.T) {
		broken := true
		d := newDiary()
		b := newBench(t, pool.Options{Min: 3, Manual: true, Events: d.events(), Launcher: &pooltest.Launcher{
			OnLaunch: func(ctx context.Context, w *pooltest.Worker) error {
				if broken && w.PID() == 1001 {
					return errors.New("no such executable")
				}
				return wait(ctx, time.Second)
			},
		}})
		want(t, "the time of Start", took(func() {
			err := b.Start(t.Context())
			as[*pool.NotReadyError](t, err)
			if err.Error() != "pool: worker did not become ready: no such executable" {
				t.Errorf("Start: %v", err)
			}
		}), 0)
		want(t, "the state", states(b.Pool), "started false, stopping false, stopped true, 0 processes")
		b.wantAlive(0)
		broken = false
		if err := b.Start(t.Context()); err != nil {
			t.Errorf("the next start: %v", err)
		}
		b.wantAlive(3)
		if slices.Contains(d.all()[:6], "start") {
			t.Errorf("the start event was told of a start that failed: %q", d.all())
		}
	})
}

// New that fails tells Events.Error, and leaves nothing.
func TestNewThatFailsTellsTheErrorEvent(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var told error
		o := pool.Options{
			Min: 2, StartTimeout: 2 * time.Second, Launcher: slowly(time.Hour),
			Events: pool.Events{Error: func(err error) { told = err }},
		}
		b := prepare(t, &o)
		want(t, "the time of New", took(func() {
			_, err := pool.New(o)
			as[*pool.NotReadyError](t, err)
			if told == nil || told.Error() != err.Error() {
				t.Errorf("Events.Error was told %v; New returned %v", told, err)
			}
		}), 2*time.Second)
		b.wantAlive(0)
	})
}

// Resize changes Min and Max while the pool runs, and refuses what is out of
// bounds.
func TestResizeChangesMinAndMax(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Max: 1})
		cs := b.calls(4, "hold")
		b.wantAlive(1)
		if err := b.Resize(2, 4); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		wantEqual(t, "calls in the workers", b.shares(), []int{1, 1, 1, 1})
		b.open()
		for _, c := range cs {
			c.ok()
		}
		pass(time.Minute)
		b.wantAlive(2) // the new Min
		if err := b.Resize(1, 1); err != nil {
			t.Fatal(err)
		}
		b.wantAlive(1)
		err := b.Resize(-1, 2_001)
		if err == nil || err.Error() != "pool: option Max is 2001; want 1 to 2000\npool: option Min is -1; want 0 to 2001" {
			t.Errorf("Resize(-1, 2001): %v", err)
		}
		if err := b.Resize(3, 2); err == nil {
			t.Error("Resize took a Min above Max")
		}
	})
}
