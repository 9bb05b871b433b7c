package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// markdown writes the table, and below it what could not be measured or should
// be known.
func markdown(m machine, results []result) string {
	var b, below strings.Builder
	fmt.Fprintf(&b, "%s, %d cores, %s, %s, wasmpool %s.\n", m.CPU, m.Cores, m.Kernel, m.Go, m.Commit)
	for _, group := range byWorkload(results) {
		fmt.Fprintf(&b, "\n| %s | p50 | p99 | calls/s | B/op | allocs/op | × socketpair |\n|---|--:|--:|--:|--:|--:|--:|\n", group[0].workload.name)
		for _, r := range group {
			what := r.what
			if r.ours {
				what = "**" + what + "**"
			}
			if r.err != nil {
				fmt.Fprintf(&b, "| %s | not measured |%s\n", what, strings.Repeat(" "+none+" |", 5))
				fmt.Fprintf(&below, "- %s: not measured: %s\n", r.name(), oneLine(r.err.Error()))
				continue
			}
			bytes, allocs, times := none, none, none
			if r.heap != nil {
				bytes, allocs = whole(r.heap.bytes), whole(r.heap.allocs)
			}
			if x := ratio(r, results); x > 0 {
				times = digits(x)
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |\n", what, short(r.p50), short(r.p99), whole(r.rate), bytes, allocs, times)
			if r.note != "" {
				fmt.Fprintf(&below, "- %s: %s\n", r.name(), oneLine(r.note))
			}
		}
	}
	if below.Len() > 0 {
		b.WriteString("\n" + below.String())
	}
	return b.String()
}

// byWorkload parts the results by workload, in the order in which those come.
// Within one, the quickest is first, whosever it is; what was not measured, last.
func byWorkload(results []result) [][]result {
	var groups [][]result
	for _, r := range results {
		i := slices.IndexFunc(groups, func(g []result) bool { return g[0].workload == r.workload })
		if i < 0 {
			i, groups = len(groups), append(groups, nil)
		}
		groups[i] = append(groups[i], r)
	}
	for _, g := range groups {
		slices.SortStableFunc(g, func(a, b result) int {
			if (a.err == nil) != (b.err == nil) {
				if a.err == nil {
					return -1
				}
				return 1
			}
			return cmp.Compare(a.p50, b.p50)
		})
	}
	return groups
}

// oneLine keeps text of others from ending a line of ours.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
