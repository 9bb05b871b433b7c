package main

import (
	"context"
	"errors"
	"time"

	"github.com/wasmpool/wasmpool/pool"
)

// memory is what a worker takes of it, once it has served.
var memory = workload{name: "Memory of a worker", payload: 32, callers: 1, table: ofMemory}

var ofMemory = &table{alone: true, chart: &chart{
	title: "Memory of one more worker, logarithmic: shorter is less; blue is wasmpool", units: [4]string{"B", "kB", "MB", "GB"}, write: megabytes,
}, columns: []column{
	{"one more", "one_more_bytes", megabytes, figure(0)},
	{"the first", "first_bytes", megabytes, figure(1)},
}}

func megabytes(bytes float64) string { return digits(bytes/1e6) + " MB" }

// weigh is the measure of a target: the memory of the first process, and that of
// each of some that come to it. The first bears alone what the others share with
// it, such as the code of their program.
func (h herd) weigh(ctx context.Context, _ []time.Duration, _ time.Duration) (round, error) {
	const more = 5
	alone, n, err := h.grow(ctx, 1)
	if err != nil {
		return round{}, err
	}
	together, all, err := h.grow(ctx, more)
	if err != nil {
		return round{}, err
	}
	if all != n+more {
		return round{}, errors.New("there are not as many processes more as were asked for")
	}
	return round{figures: []float64{(together - alone) / more, alone / float64(n)}}, nil
}

// grow adds processes, and weighs all.
func (h herd) grow(ctx context.Context, n int) (bytes float64, all int, err error) {
	if err := h.add(ctx, n); err != nil {
		return 0, 0, err
	}
	pids, err := h.pids()
	if err != nil {
		return 0, 0, err
	}
	bytes, err = pss(pids)
	return bytes, len(pids), err
}

// memoryRows are the workers of this project, with each guest in each program.
func memoryRows(b *builds) []row {
	var rows []row
	for _, g := range []guest{cGuest, goGuest(b)} {
		for _, r := range runners(b) {
			rows = append(rows, row{workload: memory, what: "wasmpool, " + r.name + ", " + g.name, ours: true, start: func(ctx context.Context, w workload) (*target, error) {
				path, err := r.path(ctx)
				if err != nil {
					return nil, err
				}
				h, end, err := openHerd(ctx, pool.Options{Runner: path}, g.echo(w))
				if err != nil {
					return nil, err
				}
				return &target{measure: h.weigh, close: end}, nil
			}})
		}
	}
	return rows
}
