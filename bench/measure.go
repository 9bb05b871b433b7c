package main

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"time"
)

// round is what was seen in one round of a row.
type round struct {
	p50, p99 time.Duration
	rate     float64 // calls a second
	heap     *heap   // nil: it is not a Go program
	count    int     // of calls, or of starts

	figures []float64 // of a table that is not about calls or starts, in its order
}

// heap is what a call allocates in this process.
type heap struct{ bytes, allocs float64 }

// summarize makes a round of its samples, which it sorts, and the time in which
// they were taken.
func summarize(samples []time.Duration, took time.Duration) round {
	slices.Sort(samples)
	return round{
		p50: percentile(samples, 50), p99: percentile(samples, 99),
		rate: float64(len(samples)) / took.Seconds(), count: len(samples),
	}
}

// repeat returns a target's measure: some callers who each call again as soon as
// they have an answer.
func repeat(callers int, call func(ctx context.Context) error) func(context.Context, []time.Duration, time.Duration) (round, error) {
	return func(ctx context.Context, samples []time.Duration, d time.Duration) (round, error) {
		ctx, fail := context.WithCancelCause(ctx)
		defer fail(nil)
		share := len(samples) / callers
		counts := make([]int, callers)
		var before, after runtime.MemStats
		runtime.GC() // what the row before left is not this one's to collect
		runtime.ReadMemStats(&before)
		begun := time.Now()
		var all sync.WaitGroup
		for i := range callers {
			all.Go(func() {
				n, err := series(ctx, begun, d, samples[i*share:(i+1)*share], call)
				if counts[i] = n; err != nil {
					fail(err)
				}
			})
		}
		all.Wait()
		took := time.Since(begun)
		runtime.ReadMemStats(&after)
		if ctx.Err() != nil {
			return round{}, context.Cause(ctx)
		}
		n := 0
		for i, count := range counts {
			n += copy(samples[n:], samples[i*share:i*share+count])
		}
		r := summarize(samples[:n], took)
		r.heap = &heap{
			bytes:  float64(after.TotalAlloc-before.TotalAlloc) / float64(n),
			allocs: float64(after.Mallocs-before.Mallocs) / float64(n),
		}
		return r, nil
	}
}

// series calls again and again until the time is over or the samples are full,
// and returns how many there are. The clock is read once a call, since for the
// quickest rows it is a part of what is seen.
func series(ctx context.Context, begun time.Time, d time.Duration, samples []time.Duration, call func(context.Context) error) (int, error) {
	last := time.Since(begun)
	for n := range samples {
		if err := call(ctx); err != nil {
			return n, err
		}
		now := time.Since(begun)
		samples[n] = now - last
		last = now
		if now >= d || ctx.Err() != nil {
			return n + 1, nil
		}
	}
	return len(samples), nil
}
