package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/wasmpool/wasmpool/pool"
)

// ofIdle is the table of what waits.
var ofIdle = &table{alone: true, columns: []column{
	{"of one core", "of_one_core", percent, func(r result) (float64, bool) { return r.figures[0] / r.figures[1], true }},
	{"processor time", "processor_ns", nanoseconds, figure(0)},
	{"in", "watched_ns", nanoseconds, figure(1)},
}}

func percent(share float64) string { return fmt.Sprintf("%.3f %%", 100*share) }

// idleRows are the processor time of this program with a pool whose workers have
// served and have nothing to do, and without one.
func idleRows(d time.Duration) []row {
	w := workload{name: "Idle", payload: 32, callers: 1, table: ofIdle}
	rows := []row{{workload: w, what: "this program, without a pool", start: func(context.Context, workload) (*target, error) {
		nobody := func() ([]int, error) { return nil, nil }
		return &target{close: func() error { return nil }, measure: watch(d, nobody)}, nil
	}}}
	add := func(what string, o pool.Options) {
		rows = append(rows, row{workload: w, what: what, ours: true, start: func(ctx context.Context, w workload) (*target, error) {
			h, end, err := openHerd(ctx, o, cGuest.echo(w))
			if err != nil {
				return nil, err
			}
			if err := h.add(ctx, 10); err != nil {
				return nil, errors.Join(err, end())
			}
			return &target{close: end, measure: watch(d, h.pids)}, nil
		}})
	}
	add("wasmpool, 10 workers", pool.Options{})
	add("wasmpool, 10 workers, socket", pool.Options{Transport: pool.Socket})
	return rows
}

// watch returns a measure of the processor time that this program and some others
// use while nothing is asked of them for d. It begins after a tenth of that, when
// what their last calls have left is over.
func watch(d time.Duration, others func() ([]int, error)) func(context.Context, []time.Duration, time.Duration) (round, error) {
	return func(ctx context.Context, _ []time.Duration, _ time.Duration) (round, error) {
		pids, err := others()
		if err != nil {
			return round{}, err
		}
		pids = append(pids, os.Getpid())
		if err := wait(ctx, d/10); err != nil {
			return round{}, err
		}
		before, err := processorTime(pids)
		if err != nil {
			return round{}, err
		}
		begun := time.Now()
		if err := wait(ctx, d); err != nil {
			return round{}, err
		}
		took := time.Since(begun)
		after, err := processorTime(pids)
		return round{figures: []float64{float64(after - before), float64(took)}}, err
	}
}

// wait does nothing for d.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
