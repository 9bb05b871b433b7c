package main

import (
	"errors"
	"time"
)

// result is a row after a run: medians over its rounds, and how much was done in
// all of them.
type result struct {
	row
	round
	times float64 // as long as the base of its workload; 0: there is none
	note  string
	err   error // it was not measured
}

// errNoRound says why a row of a run that was ended has no figures.
var errNoRound = errors.New("the run was ended before its first round")

func (c *contender) result() result {
	res := result{row: c.row, err: c.err}
	if c.target != nil {
		res.note = c.note
	}
	if res.err == nil && len(c.rounds) == 0 {
		res.err = errNoRound
	}
	if res.err != nil {
		return res
	}
	var p50, p99 []time.Duration
	var rate, bytes, allocs []float64
	count := 0
	for _, r := range c.rounds {
		p50, p99, rate = append(p50, r.p50), append(p99, r.p99), append(rate, r.rate)
		count += r.count
		if r.heap != nil {
			bytes, allocs = append(bytes, r.heap.bytes), append(allocs, r.heap.allocs)
		}
	}
	res.round = round{p50: median(p50), p99: median(p99), rate: median(rate), count: count}
	if bytes != nil {
		res.heap = &heap{bytes: median(bytes), allocs: median(allocs)}
	}
	res.figures = c.rounds[0].figures // such rows have one round
	return res
}

func anyMeasured(results []result) bool {
	for _, r := range results {
		if r.err == nil {
			return true
		}
	}
	return false
}

// compare sets the times of all results that have a base to be compared with.
func compare(results []result) {
	base := map[workload]time.Duration{}
	for _, r := range results {
		if r.base && r.err == nil {
			base[r.workload] = r.p50
		}
	}
	for i, r := range results {
		if b := base[r.workload]; b > 0 && r.err == nil {
			results[i].times = float64(r.p50) / float64(b)
		}
	}
}
