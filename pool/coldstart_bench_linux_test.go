package pool_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wasmpool/wasmpool/internal/guestbuild"
	"github.com/wasmpool/wasmpool/pool"
	"github.com/wasmpool/wasmpool/testdata/wasm"
)

// coldCall is a call that tells nothing but that the worker serves.
type coldCall struct {
	module   []byte
	function string
	args     []any
	want     string
}

// coldGuests are a small guest, of C without a library, and a large one, of Go.
func coldGuests(t testing.TB) map[string]coldCall {
	return map[string]coldCall{
		"small": {wasm.Module("echo"), "add", []any{1, 2}, "3"},
		"go":    {guestbuild.Go(t, "../guest/testworker"), "add", []any{1, 2.5}, "3.5"},
	}
}

func (c coldCall) options(runner string) pool.Options {
	return pool.Options{
		Max: 1, Runner: runner, CacheDir: sharedCache, Logger: quiet, Transport: transport(),
		Modules: map[string]pool.Module{"guest": {Bytes: c.module}},
	}
}

func (c coldCall) do(t testing.TB, p *pool.Pool) {
	t.Helper()
	if got, err := p.Call(t.Context(), "guest", c.function, c.args...); err != nil || string(got) != c.want {
		t.Fatalf("%s(%v) = %s, %v, want %s", c.function, c.args, got, err, c.want)
	}
}

// BenchmarkColdStart is from New to the first answer, when nothing runs and the
// module was compiled before: in a program that does nothing else, and in this
// one. The mean is that of all starts; min-ms and median-ms are less moved by
// what else the machine does. pss-MiB is what a worker holds when it has
// answered, with a second one beside it.
func BenchmarkColdStart(b *testing.B) {
	slim := runner(b)
	guests := coldGuests(b)
	for _, guest := range []string{"small", "go"} {
		for _, how := range []struct{ name, runner string }{{"slim", slim}, {"self", ""}} {
			b.Run(fmt.Sprintf("guest=%s/runner=%s", guest, how.name), func(b *testing.B) {
				c := guests[guest]
				pss := pssBeside(b, c, how.runner)
				var took times
				for b.Loop() {
					begun := time.Now()
					p, err := pool.New(c.options(how.runner))
					if err != nil {
						b.Fatal(err)
					}
					c.do(b, p)
					took = append(took, time.Since(begun))
					b.StopTimer()
					stopNow(b, p)
					b.StartTimer()
				}
				took.report(b)
				b.ReportMetric(pss/(1<<20), "pss-MiB")
			})
		}
	}
}

// BenchmarkScaleOntoSpare is a call that finds the only worker of its module
// busy, and a blank one waiting.
func BenchmarkScaleOntoSpare(b *testing.B) {
	slim := runner(b)
	c := coldGuests(b)["small"]
	gate, held := make(chan struct{}), make(chan struct{})
	o := c.options(slim)
	o.Min, o.Max, o.Spare, o.Preload = 1, 2, 1, []string{"guest"}
	o.Host = map[string]pool.HostFunc{"hold": func(context.Context, []byte) ([]byte, error) {
		held <- struct{}{}
		<-gate
		return []byte("0"), nil
	}}
	var took times
	for b.Loop() {
		b.StopTimer()
		p, err := pool.New(o)
		if err != nil {
			b.Fatal(err)
		}
		ended := make(chan error)
		go func() { // ends with the gate
			_, err := p.Call(b.Context(), "guest", "host", "hold", "")
			ended <- err
		}()
		<-held
		until(b, "a blank worker waits", func() bool {
			return slices.ContainsFunc(p.Stats().Workers, func(w pool.WorkerStats) bool { return w.State == "blank" })
		})
		begun := time.Now()
		b.StartTimer()
		c.do(b, p)
		took = append(took, time.Since(begun))
		b.StopTimer()
		gate <- struct{}{}
		if err := <-ended; err != nil {
			b.Fatal(err)
		}
		stopNow(b, p)
		b.StartTimer()
	}
	took.report(b)
}

// times are those of all rounds of a benchmark.
type times []time.Duration

func (ts times) report(b *testing.B) {
	slices.Sort(ts)
	b.ReportMetric(ts[0].Seconds()*1000, "min-ms")
	b.ReportMetric(ts[len(ts)/2].Seconds()*1000, "median-ms")
}

func stopNow(t testing.TB, p *pool.Pool) {
	t.Helper()
	if err := p.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// pssBeside has the module compiled, and says how many bytes a worker holds that
// has answered: its own, and half of what it shares with the other one. 0 where
// this user may not know.
func pssBeside(t testing.TB, c coldCall, runner string) float64 {
	t.Helper()
	o := c.options(runner)
	o.Min, o.Max, o.Strategy, o.Preload = 2, 2, pool.RoundRobin, []string{"guest"}
	p, err := pool.New(o)
	if err != nil {
		t.Fatal(err)
	}
	defer stopNow(t, p)
	c.do(t, p)
	c.do(t, p)
	return float64(pss(t, p.Stats().Workers[1].PID))
}

func pss(t testing.TB, pid int) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if errors.Is(err, os.ErrPermission) {
		return 0
	}
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		fields := strings.Fields(string(line))
		if len(fields) < 2 || fields[0] != "Pss:" {
			continue
		}
		kib, err := strconv.ParseInt(fields[1], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return kib << 10
	}
	t.Fatalf("no Pss for process %d in %q", pid, text)
	return 0
}
