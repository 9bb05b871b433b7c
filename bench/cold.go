package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wasmpool/wasmpool/pool"
)

// coldStart is the time from a new pool to the first answer, which is an echo.
var coldStart = workload{name: "From a new pool to the first answer", payload: 32, callers: 1, table: ofStarts}

// ofStarts is the table of what is started again and again.
var ofStarts = &table{chart: timeChart, columns: append(timeColumns(),
	column{"starts", "starts", whole, func(r result) (float64, bool) { return float64(r.count), true }},
)}

// coldRows are pools that start a worker when the first call asks for one, and
// one that takes a worker it has in reserve. The module is compiled before.
func coldRows(b *builds) []row {
	var rows []row
	for _, g := range []guest{cGuest, goGuest(b)} {
		for _, r := range runners(b) {
			rows = append(rows, row{workload: coldStart, what: "wasmpool, " + r.name + ", " + g.name, ours: true, start: func(ctx context.Context, w workload) (*target, error) {
				return startCold(ctx, pool.Options{}, r, g.echo(w), newPool)
			}})
		}
	}
	return append(rows, row{workload: coldStart, what: "wasmpool, one more worker onto a spare", ours: true, start: func(ctx context.Context, w workload) (*target, error) {
		return startCold(ctx, pool.Options{Min: 1, Max: 2, Spare: 1, Preload: []string{cGuest.name}}, runners(b)[0], cGuest.echo(w), ontoSpare)
	}})
}

// starter starts something once, and returns how long it took to the first
// answer. That it also ends it does not count.
type starter func(ctx context.Context) (time.Duration, error)

// repeatStarts returns a target's measure, of starts one after the other.
func repeatStarts(start starter) func(context.Context, []time.Duration, time.Duration) (round, error) {
	return func(ctx context.Context, samples []time.Duration, d time.Duration) (round, error) {
		begun, n := time.Now(), 0
		for n == 0 || n < len(samples) && time.Since(begun) < d {
			took, err := start(ctx)
			if err != nil {
				return round{}, err
			}
			samples[n] = took
			n++
		}
		return summarize(samples[:n], time.Since(begun)), nil
	}
}

// startCold prepares starts of pools of some options.
func startCold(ctx context.Context, o pool.Options, r runner, j job, once func(context.Context, pool.Options, job) (time.Duration, error)) (*target, error) {
	o, note, forget, err := warm(ctx, o, r, j)
	if err != nil {
		return nil, err
	}
	return &target{close: forget, note: note, measure: repeatStarts(func(ctx context.Context) (time.Duration, error) { return once(ctx, o, j) })}, nil
}

// warm completes the options of pools, and has one of them compile the module and
// end. The note is what its sandbox was without.
func warm(ctx context.Context, o pool.Options, r runner, j job) (_ pool.Options, note string, forget func() error, err error) {
	if o.Runner, err = r.path(ctx); err != nil {
		return o, "", nil, err
	}
	o, forget, err = equip(ctx, o, j.guest)
	if err != nil {
		return o, "", nil, err
	}
	p, err := pool.New(o)
	if err != nil {
		return o, "", nil, errors.Join(err, forget())
	}
	err = raw(p, j)(ctx)
	note = missing(p, o)
	if err := errors.Join(err, stop(p)); err != nil {
		return o, "", nil, errors.Join(err, forget())
	}
	return o, note, forget, nil
}

// newPool takes the time from New to the first answer.
func newPool(ctx context.Context, o pool.Options, j job) (time.Duration, error) {
	begun := time.Now()
	p, err := pool.New(o)
	if err != nil {
		return 0, err
	}
	err = raw(p, j)(ctx)
	took := time.Since(begun)
	return took, errors.Join(err, stop(p))
}

// ontoSpare takes the time of a call for which a spare process has to load the
// module, since the only worker is busy: its guest waits for a host function.
func ontoSpare(ctx context.Context, o pool.Options, j job) (_ time.Duration, err error) {
	busy, release := make(chan struct{}), make(chan struct{})
	o.Host = map[string]pool.HostFunc{"hold": func(context.Context, []byte) ([]byte, error) {
		close(busy)
		<-release
		return nil, nil
	}}
	p, err := pool.New(o)
	if err != nil {
		return 0, err
	}
	held := make(chan error, 1)
	go func() {
		_, err := p.CallRaw(ctx, j.guest.name, "host", []byte(`["hold",""]`))
		held <- err
	}()
	defer func() {
		close(release)
		err = errors.Join(err, <-held, stop(p))
	}()
	select {
	case <-busy:
	case err := <-held:
		held <- nil
		return 0, errors.Join(err, errors.New("the call that was to keep the worker busy ended"))
	}
	if err := untilBlank(ctx, p); err != nil {
		return 0, err
	}
	begun := time.Now()
	err = raw(p, j)(ctx)
	took := time.Since(begun)
	if n := p.ProcessCount(); err == nil && n != 2 {
		err = fmt.Errorf("the pool has %d workers after the call, want 2", n)
	}
	return took, err
}

// untilBlank waits until a process of a pool is past its start. No event tells:
// a worker is ready when it has loaded a module.
func untilBlank(ctx context.Context, p *pool.Pool) error {
	ticks := time.NewTicker(time.Millisecond)
	defer ticks.Stop()
	for {
		for _, w := range p.Stats().Workers {
			if w.State == "blank" {
				return nil
			}
		}
		select {
		case <-ticks.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
