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

// measureAll starts all rows and measures them in turn, round by round, so that
// what drifts on the machine hits all of them. Progress goes to w.
func measureAll(ctx context.Context, rows []row, d time.Duration, w io.Writer) []result {
	samples := make([]time.Duration, maxSamples)
	for i := range samples {
		samples[i] = 1 // so that no round meets a page for the first time
	}
	all := make([]*contender, len(rows))
	for i, r := range rows {
		all[i] = &contender{row: r}
	}
	defer func() {
		for _, c := range all {
			if c.target == nil {
				continue
			}
			if err := c.close(); err != nil {
				fmt.Fprintf(w, "ending %s: %v\n", c.name(), err)
			}
		}
	}()
	for i, c := range all {
		fmt.Fprintf(w, "\rstarting %d of %d ", i+1, len(all))
		if c.err = ctx.Err(); c.err == nil {
			c.target, c.err = c.start(ctx, c.workload)
		}
	}
	for n := range rounds + 1 {
		for i := range all {
			c := all[i]
			if n%2 == 1 {
				c = all[len(all)-1-i] // being behind a row that leaves much behind is shared out
			}
			fmt.Fprintf(w, "\rround %d of %d, row %d of %d ", n, rounds, i+1, len(all))
			c.measureRound(ctx, samples, d/rounds, n > 0)
		}
	}
	fmt.Fprintln(w)
	results := make([]result, len(all))
	for i, c := range all {
		results[i] = c.result()
	}
	compare(results)
	return results
}

// measureRound measures a row once, behind a tenth of the time that only warms
// up again what the other rows have cooled.
func (c *contender) measureRound(ctx context.Context, samples []time.Duration, d time.Duration, counts bool) {
	if c.err != nil || ctx.Err() != nil {
		return
	}
	_, err := c.measure(ctx, samples, d/10)
	var r round
	if err == nil {
		r, err = c.measure(ctx, samples, d)
	}
	switch {
	case ctx.Err() != nil: // what failed may have failed of this
	case err != nil:
		c.err = err
	case counts:
		c.rounds = append(c.rounds, r)
	}
}
