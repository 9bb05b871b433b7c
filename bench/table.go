package main

import "time"

// table is a kind of table: what is told of its rows. The first column orders
// them.
type table struct {
	columns []column
	chart   *chart // that shows the first column; nil: none does

	// alone says that its rows are measured once, and one after the other, when
	// all others have ended: what they look at is the whole machine's.
	alone bool
}

// column is one figure of each row.
type column struct {
	name  string
	key   string // in JSON
	write func(float64) string
	of    func(result) (x float64, ok bool)
}

// The tables of calls, by what is 1.00 in them.
var (
	besideSocketpair = &table{chart: timeChart, columns: append(callColumns(), timesColumn("socketpair"))}
	besideWazero     = &table{chart: timeChart, columns: append(callColumns(), timesColumn("wazero"))}
	besideNothing    = &table{chart: timeChart, columns: callColumns()}
)

func callColumns() []column {
	return append(timeColumns(),
		column{"calls/s", "calls_per_s", whole, func(r result) (float64, bool) { return r.rate, true }},
		column{"B/op", "bytes_per_op", whole, func(r result) (float64, bool) {
			if r.heap == nil {
				return 0, false
			}
			return r.heap.bytes, true
		}},
		column{"allocs/op", "allocs_per_op", whole, func(r result) (float64, bool) {
			if r.heap == nil {
				return 0, false
			}
			return r.heap.allocs, true
		}},
	)
}

func timeColumns() []column {
	return []column{
		{"p50", "p50_ns", nanoseconds, func(r result) (float64, bool) { return float64(r.p50), true }},
		{"p99", "p99_ns", nanoseconds, func(r result) (float64, bool) { return float64(r.p99), true }},
	}
}

// timesColumn is how many times as long as the base a row takes.
func timesColumn(base string) column {
	return column{"× " + base, "times_" + base, digits, func(r result) (float64, bool) { return r.times, r.times > 0 }}
}

// figure is one of those that a row has of its own.
func figure(i int) func(result) (float64, bool) {
	return func(r result) (float64, bool) { return r.figures[i], true }
}

// value is the figure that orders a row, and that its bar shows.
func (r result) value() float64 {
	x, _ := r.table.columns[0].of(r)
	return x
}

func nanoseconds(x float64) string { return short(time.Duration(x)) }
