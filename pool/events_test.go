package pool_test

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmpool/wasmpool/pool"
	"github.com/wasmpool/wasmpool/pool/pooltest"
	"github.com/wasmpool/wasmpool/subprocess"
)

// The events of a pool's life come in the order of what happened: start, recycle,
// stop, and those of its workers.
func TestEventsComeInOrder(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d := newDiary()
		b := newBench(t, pool.Options{Min: 1, Max: 1, Events: d.events()})
		b.do("pid")
		synctest.Wait() // a call does not wait for events
		d.note("a call returned")
		if err := b.Recycle(t.Context()); err != nil {
			t.Fatal(err)
		}
		d.note("Recycle returned")
		synctest.Wait()
		if err := b.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		d.note("Stop returned")
		// The first worker ends by itself while the recycle does.
		lines := d.all()
		first := slices.Index(lines, "exited 1")
		if first < slices.Index(lines, "ready 2 a") || first > slices.Index(lines, "exited 2") {
			t.Errorf("the first worker did not end between the second one's beginning and end: %q", lines)
		}
		wantEqual(t, "the other events", slices.Delete(lines, first, first+1), []string{
			"started 1", "start", "ready 1 a", "a call returned",
			"started 2", "ready 2 a", "recycle", "Recycle returned",
			"exited 2", "stop", "Stop returned",
		})
	})
}

// The events of a worker say which process it is, which module it serves, and
// how it ended.
func TestWorkerEventsSayWhich(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var infos []pool.WorkerInfo
		var exits []pool.WorkerExit
		note := func(w pool.WorkerInfo) { infos = append(infos, w) }
		b := newBench(t, pool.Options{Events: pool.Events{
			WorkerStarted: note, WorkerReady: note,
			WorkerExited: func(e pool.WorkerExit) { exits = append(exits, e) },
		}})
		as[*pool.UnexpectedExitError](t, b.call(t.Context(), "crash").failed())
		synctest.Wait()
		wantEqual(t, "events", infos, []pool.WorkerInfo{{ID: 1, Module: "a"}, {ID: 1, PID: 1000, Module: "a"}})
		if len(exits) != 1 || exits[0].Err != nil || exits[0].PID != 1000 || exits[0].Exit.Code != -1 || exits[0].Exit.Reason != nil {
			t.Errorf("exits: %+v", exits)
		}
	})
}

// What workers log reaches Events.Log and the logger, with the worker, the
// module and the source.
func TestLogsReachTheEventAndTheLogger(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d := newDiary()
		var out bytes.Buffer
		b := newBench(t, pool.Options{
			Logger: slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == slog.TimeKey {
					return slog.Attr{}
				}
				return a
			}})),
			Events: pool.Events{Log: d.events().Log},
			Launcher: &pooltest.Launcher{OnCall: func(_ context.Context, c *pooltest.Call) (any, error) {
				for source, text := range []string{"of the guest", "a line", "an error", "of the child"} {
					c.Worker.Log(subprocess.LogRecord{Source: subprocess.LogSource(source), Level: int32(4 * (source - 1)), Text: text})
				}
				return nil, nil
			}},
		})
		b.do("log")
		synctest.Wait()
		wantEqual(t, "events", d.all(), []string{"log 1 guest: of the guest", "log 1 stdout: a line", "log 1 stderr: an error", "log 1 worker: of the child"})
		wantEqual(t, "the log, but for debug", strings.Split(strings.TrimSpace(out.String()), "\n"), []string{
			`level=INFO msg="a line" module=a worker=1 source=stdout`,
			`level=WARN msg="an error" module=a worker=1 source=stderr`,
			`level=ERROR msg="of the child" module=a worker=1 source=worker`,
		})
	})
}

// Events that are not taken in time are dropped and counted; no call waits for
// them, and the events of the pool itself are never dropped.
func TestEventsThatAreNotTakenAreDroppedAndCounted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const backlog, more = 4096, 1000
		release := make(chan struct{})
		var told atomic.Int32
		stopped := false
		b := newBench(t, pool.Options{
			Min: 1, Preload: []string{"a"},
			Events: pool.Events{
				Log: func(pool.LogRecord) { <-release; told.Add(1) }, Stop: func() { stopped = true },
			},
			Launcher: &pooltest.Launcher{OnCall: func(_ context.Context, c *pooltest.Call) (any, error) {
				c.Worker.Log(subprocess.LogRecord{Text: "first"})
				synctest.Wait() // it is being told
				for range backlog + more {
					c.Worker.Log(subprocess.LogRecord{Text: "another"})
				}
				return nil, nil
			}},
		})
		want(t, "the time of a call", took(func() { b.do("chatty") }), 0)
		want(t, "Stats.EventsDropped", b.Stats().EventsDropped, more)
		close(release)
		if err := b.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		want(t, "the logs told", told.Load(), 1+backlog)
		want(t, "the stop event was told", stopped, true)
		want(t, "Stats.EventsDropped after the stop", b.Stats().EventsDropped, more)
	})
}

// An event that takes its time delays neither calls nor workers.
func TestSlowEventsDelayNoCall(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Events: pool.Events{WorkerReady: func(pool.WorkerInfo) { _ = wait(context.Background(), time.Minute) }}})
		want(t, "the time of 100 calls", took(func() {
			for range 100 {
				b.do("pid")
			}
		}), 0)
	})
}
