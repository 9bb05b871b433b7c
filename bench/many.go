package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/wasmpool/wasmpool/pool"
)

// ofMany is the table of pools by their size.
var ofMany = &table{alone: true, columns: []column{
	{"start of all", "start_ns", nanoseconds, figure(0)},
	{"a call in each, at once", "each_ns", nanoseconds, figure(1)},
	{"p50", "p50_ns", nanoseconds, figure(2)},
	{"p99", "p99_ns", nanoseconds, figure(3)},
	{"stop of all", "stop_ns", nanoseconds, figure(4)},
}}

// manyRows are a pool of many workers, and beside it one of two.
func manyRows(b *builds, many int) []row {
	w := workload{name: "Many workers, one call under way", payload: 32, callers: 1, table: ofMany}
	var rows []row
	for _, n := range []int{2, many} {
		rows = append(rows, row{workload: w, what: fmt.Sprintf("wasmpool, %d workers", n), ours: true, start: func(ctx context.Context, w workload) (*target, error) {
			return startMany(ctx, runners(b)[0], cGuest.echo(w), n)
		}})
	}
	return rows
}

// startMany prepares the life of a pool with n workers, which is measured from
// its start to its stop. The module is compiled before.
func startMany(ctx context.Context, r runner, j job, n int) (*target, error) {
	o, _, forget, err := warm(ctx, pool.Options{}, r, j)
	if err != nil {
		return nil, err
	}
	o.Min, o.Max, o.Preload, o.Manual = n, n, []string{j.guest.name}, true
	return &target{close: forget, measure: func(ctx context.Context, samples []time.Duration, d time.Duration) (round, error) {
		return live(ctx, o, j, samples, d)
	}}, nil
}

// live has a pool start, serve a call in each worker, serve one call at a time
// for d, and stop.
func live(ctx context.Context, o pool.Options, j job, samples []time.Duration, d time.Duration) (_ round, err error) {
	o, met := meeting(o, o.Max)
	p, err := pool.New(o)
	if err != nil {
		return round{}, err
	}
	stopped := false
	defer func() {
		if !stopped {
			err = errors.Join(err, stop(p))
		}
	}()
	begun := time.Now()
	if err := p.Start(ctx); err != nil {
		return round{}, err
	}
	start := time.Since(begun)
	begun = time.Now()
	if err := met(ctx, p, j); err != nil {
		return round{}, err
	}
	each := time.Since(begun)
	r, err := repeat(1, raw(p, j))(ctx, samples, d)
	if err != nil {
		return round{}, err
	}
	begun, stopped = time.Now(), true
	if err := stop(p); err != nil {
		return round{}, fmt.Errorf("stopping: %w", err)
	}
	r.figures = []float64{float64(start), float64(each), float64(r.p50), float64(r.p99), float64(time.Since(begun))}
	return r, nil
}

// meeting adds a host function in which calls wait until n of them are there, and
// returns what makes n calls of it: they end only if each has a worker to itself.
func meeting(o pool.Options, n int) (pool.Options, func(context.Context, *pool.Pool, job) error) {
	var arrived atomic.Int64
	all := make(chan struct{})
	o.Host = map[string]pool.HostFunc{"meet": func(ctx context.Context, _ []byte) ([]byte, error) {
		if arrived.Add(1) == int64(n) {
			close(all)
		}
		select {
		case <-all:
			return []byte("null"), nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}}
	return o, func(ctx context.Context, p *pool.Pool, j job) error {
		ended := make(chan error, n)
		for range n {
			go func() { // ends with its call
				_, err := p.CallRaw(ctx, j.guest.name, "host", []byte(`["meet",""]`))
				ended <- err
			}()
		}
		var errs []error
		for range n {
			errs = append(errs, <-ended)
		}
		return errors.Join(errs...)
	}
}
