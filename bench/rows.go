package main

import (
	"context"
	"regexp"
	"strings"
	"time"
)

// The workloads. Rows of one workload can be compared with each other.
var (
	small = workload{name: "32 B", payload: 32, callers: 1, table: besideSocketpair}
	large = workload{name: "64 KiB", payload: 64 << 10, callers: 1, table: besideSocketpair}
	crowd = workload{name: "32 B, 64 callers, 2 workers", payload: 32, callers: 64, table: besideNothing}
)

// workload is what every row of it does.
type workload struct {
	name    string
	payload int // bytes in and out; 0: it has its own
	callers int // at the same time
	table   *table
}

// workers is how many processes or threads serve it.
func (w workload) workers() int { return min(w.callers, 2) }

// arguments is a JSON array with one string, as long as the payload in total.
func (w workload) arguments() []byte { return []byte(`["` + w.text() + `"]`) }

// text is that string.
func (w workload) text() string { return strings.Repeat("x", w.payload-len(`[""]`)) }

// row is one way to do a workload.
type row struct {
	workload
	what string
	ours bool // it is this project
	base bool // others of its workload are compared with it

	// start prepares it, but for warming up.
	start func(ctx context.Context, w workload) (*target, error)
}

func (r row) name() string { return r.workload.name + ": " + r.what }

// target is a row that is ready to be measured.
type target struct {
	// measure does for about d what the row is for, and reports what it saw. The
	// samples are its to use until it returns.
	measure func(ctx context.Context, samples []time.Duration, d time.Duration) (round, error)
	close   func() error
	note    string // what a reader should know of this run; mostly empty
}

// allRows are all rows that the options ask for, by workload. Those that need what
// has to be built get it of b.
func allRows(o options, b *builds) []row {
	var rows []row
	for _, w := range []workload{small, large, crowd} {
		if w.callers == 1 {
			rows = append(rows, rawRows(w)...)
			rows = append(rows, inProcessRows(w)...)
			rows = append(rows, extismRow(w), funcRow(w, goGuest(b)))
		}
		rows = append(rows, poolRows(w)...)
		rows = append(rows, pluginRows(w)...)
	}
	rows = append(rows, allComputeRows(goGuest(b))...)
	rows = append(rows, coldRows(b)...)
	rows = append(rows, coldPluginRows()...)
	rows = append(rows, nodeRows(small, large, crowd)...)
	rows = append(rows, memoryRows(b)...)
	rows = append(rows, nodeMemoryRows()...)
	if o.many > 0 {
		rows = append(rows, manyRows(b, o.many)...)
	}
	if o.idle > 0 {
		rows = append(rows, idleRows(o.idle)...)
	}
	return rows
}

// selected returns the rows whose name matches.
func selected(rows []row, pattern *regexp.Regexp) []row {
	var s []row
	for _, r := range rows {
		if pattern.MatchString(r.name()) {
			s = append(s, r)
		}
	}
	return s
}
