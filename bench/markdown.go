package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// markdown writes a table for each workload, and below them what could not be
// measured or should be known.
func markdown(m machine, results []result) string {
	var b, below strings.Builder
	fmt.Fprintf(&b, "%s, %d cores, %s, %s, wasmpool %s.\n", m.CPU, m.Cores, m.Kernel, m.Go, m.Commit)
	for _, group := range byWorkload(results) {
		columns := group[0].table.columns
		fmt.Fprintf(&b, "\n| %s |", group[0].workload.name)
		for _, c := range columns {
			fmt.Fprintf(&b, " %s |", c.name)
		}
		b.WriteString("\n|---|" + strings.Repeat("--:|", len(columns)) + "\n")
		for _, r := range group {
			what := r.what
			if r.ours {
				what = "**" + what + "**"
			}
			fmt.Fprintf(&b, "| %s |", what)
			if r.err != nil {
				b.WriteString(" not measured |" + strings.Repeat(" "+none+" |", len(columns)-1) + "\n")
				fmt.Fprintf(&below, "- %s: not measured: %s\n", r.name(), oneLine(r.err.Error()))
				continue
			}
			for _, c := range columns {
				text := none
				if x, ok := c.of(r); ok {
					text = c.write(x)
				}
				fmt.Fprintf(&b, " %s |", text)
			}
			b.WriteString("\n")
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
// Within one, the one with the least of its first figure is first, whosever it
// is; what was not measured, last.
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
			if a.err != nil {
				return 0
			}
			return cmp.Compare(a.value(), b.value())
		})
	}
	return groups
}

// oneLine keeps text of others from ending a line of ours.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
