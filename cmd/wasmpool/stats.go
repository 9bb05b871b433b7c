package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/wasmpool/wasmpool/pool"
)

// statistics are Stats in JSON, on standard error.
type statistics struct {
	Calls    uint64             `json:"calls"`
	Returned uint64             `json:"returned"`
	Wait     latency            `json:"wait"`
	Run      latency            `json:"run"`
	Workers  []workerStatistics `json:"workers"`
}

// latency is in nanoseconds. The quantiles are at most twice the true ones.
type latency struct {
	Mean time.Duration `json:"mean_ns"`
	P50  time.Duration `json:"p50_ns"`
	P99  time.Duration `json:"p99_ns"`
	Max  time.Duration `json:"max_ns"`
}

type workerStatistics struct {
	PID         int   `json:"pid"`
	Served      int   `json:"served"`
	MemoryBytes int64 `json:"memory_bytes"`
}

func newLatency(h *pool.Histogram) latency {
	return latency{h.Mean(), h.Quantile(0.5), h.Quantile(0.99), h.Max}
}

func (l latency) String() string {
	round := func(d time.Duration) time.Duration {
		switch {
		case d > time.Second:
			return d.Round(10 * time.Millisecond)
		case d > time.Millisecond:
			return d.Round(10 * time.Microsecond)
		}
		return d.Round(10 * time.Nanosecond)
	}
	return fmt.Sprintf("mean %v, half within %v, 99 %% within %v, longest %v", round(l.Mean), round(l.P50), round(l.P99), round(l.Max))
}

// printStats writes what a pool has done, of those workers that still live.
func (p *program) printStats(s pool.Stats, asJSON bool) {
	out := statistics{Calls: s.Calls, Returned: s.Returned, Wait: newLatency(&s.Wait), Run: newLatency(&s.Run), Workers: []workerStatistics{}}
	for _, w := range s.Workers {
		out.Workers = append(out.Workers, workerStatistics{w.PID, w.Served, w.MemoryBytes})
	}
	if asJSON {
		p.writeJSON(p.stderr, map[string]any{"stats": out})
		return
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d calls, of which %d returned\n", out.Calls, out.Returned)
	fmt.Fprintf(&b, "waited   %v\nran      %v\n", out.Wait, out.Run)
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "pid\tcalls\tmemory\t")
	for _, w := range out.Workers {
		fmt.Fprintf(table, "%d\t%d\t%s\t\n", w.PID, w.Served, size(w.MemoryBytes))
	}
	_ = table.Flush() // into memory
	fmt.Fprint(p.stderr, b.String())
}

// writeJSON writes one line of JSON that is fit for a terminal.
func (p *program) writeJSON(w io.Writer, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic("bug: wasmpool: " + err.Error())
	}
	fmt.Fprintln(w, visibleJSON(b))
}
