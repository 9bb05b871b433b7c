package main

import (
	"context"
	"fmt"
	"io"
	"time"
)

const (
	rounds = 5 // that count; one more before them warms everything up

	// maxSamples bounds the calls of a round, so that each of them can be kept.
	// A round that has as many ends early.
	maxSamples = 1 << 20
)

// contender is a row in the course of a run.
type contender struct {
	row
	*target
	rounds []round
	err    error // it is out
}

// measureAll measures all rows: most of them together, and then those that have
// to be alone. Progress goes to w.
func measureAll(ctx context.Context, rows []row, d time.Duration, w io.Writer) []result {
	samples := make([]time.Duration, maxSamples)
	for i := range samples {
		samples[i] = 1 // so that no round meets a page for the first time
	}
	all := make([]*contender, len(rows))
	var together, alone []*contender
	for i, r := range rows {
		all[i] = &contender{row: r}
		if r.table.alone {
			alone = append(alone, all[i])
		} else {
			together = append(together, all[i])
		}
	}
	measureTogether(ctx, together, samples, d, w)
	fmt.Fprintln(w)
	measureAlone(ctx, alone, samples, d, w)
	fmt.Fprintln(w)
	results := make([]result, len(all))
	for i, c := range all {
		results[i] = c.result()
	}
	compare(results)
	return results
}

// measureTogether starts all rows and measures them in turn, round by round, so
// that what drifts on the machine hits all of them.
func measureTogether(ctx context.Context, all []*contender, samples []time.Duration, d time.Duration, w io.Writer) {
	for i, c := range all {
		fmt.Fprintf(w, "\rstarting %d of %d ", i+1, len(all))
		c.prepare(ctx)
	}
	for n := range rounds + 1 {
		for i := range all {
			c := all[i]
			if n%2 == 1 {
				c = all[len(all)-1-i] // being behind a row that leaves much behind is shared out
			}
			fmt.Fprintf(w, "\rround %d of %d, row %d of %d ", n, rounds, i+1, len(all))
			c.try(ctx, samples, d/rounds/10) // warms up again what the other rows have cooled
			if r, ok := c.try(ctx, samples, d/rounds); ok && n > 0 {
				c.rounds = append(c.rounds, r)
			}
		}
	}
	for _, c := range all {
		c.end(w)
	}
}

// measureAlone measures rows once, each when the one before has ended.
func measureAlone(ctx context.Context, all []*contender, samples []time.Duration, d time.Duration, w io.Writer) {
	for i, c := range all {
		fmt.Fprintf(w, "\rrow %d of %d that are alone ", i+1, len(all))
		c.prepare(ctx)
		if r, ok := c.try(ctx, samples, d); ok {
			c.rounds = append(c.rounds, r)
		}
		c.end(w)
	}
}

// prepare starts a row, unless the run has been ended.
func (c *contender) prepare(ctx context.Context) {
	if c.err = ctx.Err(); c.err == nil {
		c.target, c.err = c.start(ctx, c.workload)
	}
}

// try measures a row for about d, unless it is out. If that fails, it is.
func (c *contender) try(ctx context.Context, samples []time.Duration, d time.Duration) (r round, ok bool) {
	if c.err != nil || ctx.Err() != nil {
		return round{}, false
	}
	r, err := c.measure(ctx, samples, d)
	if ctx.Err() != nil { // what failed may have failed of this
		return round{}, false
	}
	c.err = err
	return r, err == nil
}

// end ends what prepare has started.
func (c *contender) end(w io.Writer) {
	if c.target == nil {
		return
	}
	if err := c.close(); err != nil {
		fmt.Fprintf(w, "ending %s: %v\n", c.name(), err)
	}
}
