package main

import (
	"context"
	"errors"

	"github.com/wasmpool/wasmpool/pool"
)

// herd are processes that can be weighed and watched.
type herd struct {
	add  func(ctx context.Context, n int) error // some more, which have served
	pids func() ([]int, error)                  // of all that are there
}

// openHerd prepares a herd of pools of some options: each time that workers are
// added, a pool, since one that grows has workers that have not served yet.
func openHerd(ctx context.Context, o pool.Options, j job) (_ herd, end func() error, err error) {
	o, forget, err := equip(ctx, o, j.guest)
	if err != nil {
		return herd{}, nil, err
	}
	o.Strategy, o.Preload = pool.RoundRobin, []string{j.guest.name} // so that each of them serves
	var pools []*pool.Pool
	add := func(ctx context.Context, n int) error {
		o := o
		o.Min, o.Max = n, n
		p, err := pool.New(o)
		if err != nil {
			return err
		}
		pools = append(pools, p)
		call := raw(p, j)
		for range 100 * n {
			if err := call(ctx); err != nil {
				return err
			}
		}
		return nil
	}
	pids := func() (pids []int, _ error) {
		for _, p := range pools {
			for _, w := range p.Stats().Workers {
				pids = append(pids, w.PID)
			}
		}
		return pids, nil
	}
	return herd{add, pids}, func() error {
		var errs []error
		for _, p := range pools {
			errs = append(errs, stop(p))
		}
		return errors.Join(append(errs, forget())...)
	}, nil
}
