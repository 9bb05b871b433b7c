package pool_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmpool/wasmpool/pool"
	"github.com/wasmpool/wasmpool/pool/pooltest"
)

// Stats counts each call once, by how it ended, over stops and starts.
func TestStatsCountEachCallOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Max: 1, QueueLimit: 1, CallTimeout: time.Minute})
		b.do("pid")
		b.call(t.Context(), "nosuch").failed()
		b.call(t.Context(), "crash").failed()
		b.call(t.Context(), "work", time.Hour).failed()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		b.call(ctx, "work", time.Hour).failed()
		held := b.inTurn(2, "hold")
		b.call(t.Context(), "pid").failed()
		b.open()
		for _, c := range held {
			c.ok()
		}
		if err := b.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.call(t.Context(), "pid").failed()
		if err := b.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.do("pid")
		s := b.Stats()
		s.Wait, s.Run, s.Workers = pool.Histogram{}, pool.Histogram{}, nil
		expected := pool.Stats{
			Processes: 1, Calls: 10, Returned: 4, Failed: 1, Lost: 1, Cancelled: 1, TimedOut: 1, Refused: 2, WorkersLost: 1,
		}
		if diff := cmp.Diff(expected, s); diff != "" {
			t.Errorf("Stats (-want +got):\n%s", diff)
		}
	})
}

// The histograms hold how long calls waited and ran.
func TestStatsMeasureWaitingAndRunning(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Max: 1, Launcher: slowly(8 * time.Second)})
		for _, c := range b.inTurn(3, "work", 2*time.Second) {
			c.ok()
		}
		s := b.Stats()
		want(t, "Wait.Count", s.Wait.Count, 3)
		want(t, "Wait.Sum", s.Wait.Sum, (8+10+12)*time.Second)
		want(t, "Wait.Max", s.Wait.Max, 12*time.Second)
		want(t, "Wait.Mean", s.Wait.Mean(), 10*time.Second)
		want(t, "Run.Sum", s.Run.Sum, 6*time.Second)
		want(t, "Run.Quantile(1)", s.Run.Quantile(1), 2*time.Second)
		if q := s.Wait.Quantile(0.5); q < 10*time.Second || q > 12*time.Second {
			t.Errorf("Wait.Quantile(0.5) is %v, want 10 s to 12 s, the greatest", q)
		}
		want(t, "the quantile of nothing", (&pool.Histogram{}).Quantile(0.9), 0)
		want(t, "the mean of nothing", (&pool.Histogram{}).Mean(), 0)
	})
}

// Stats says what each worker is doing.
func TestStatsDescribeTheWorkers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Min: 1, Max: 2, Spare: 1, Launcher: &pooltest.Launcher{
			OnLoad: func(ctx context.Context, w *pooltest.Worker) error {
				w.SetMemory(1 << 20)
				if w.Assignment().Module == "b" {
					return wait(ctx, 10*time.Second)
				}
				return nil
			},
		}})
		pass(time.Second)
		b.do("pid")
		b.inTurn(1, "hold")
		c := b.callOf(t.Context(), "b", "pid")
		pass(5 * time.Second)
		s := b.Stats()
		expected := []pool.WorkerStats{
			{WorkerInfo: pool.WorkerInfo{ID: 1, Module: "a"}, State: "serving", Calls: 1, Running: 1, Served: 1, MemoryBytes: 1 << 20, Age: 6 * time.Second},
			{WorkerInfo: pool.WorkerInfo{ID: 2, Module: "b"}, State: "loading", Calls: 1, MemoryBytes: 1 << 20, Age: 6 * time.Second},
			{WorkerInfo: pool.WorkerInfo{ID: 3}, State: "blank", Age: 5 * time.Second},
		}
		for i := range s.Workers {
			want(t, "a worker has a PID", s.Workers[i].PID >= 1000, true)
			s.Workers[i].PID = 0
		}
		wantEqual(t, "Stats.Workers", s.Workers, expected)
		want(t, "Waiting", s.Waiting, 1)
		want(t, "Running", s.Running, 1)
		want(t, "Processes", s.Processes, 2)
		want(t, "Spare", s.Spare, 1)
		b.open()
		c.ok()
	})
}
