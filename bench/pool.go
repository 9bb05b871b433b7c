package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/wasmpool/wasmpool/pool"
)

// poolRows are this project, as it is used: as it comes, and with what can be
// switched off, or taken another way.
func poolRows(w workload) []row {
	return []row{
		poolRow(w, "wasmpool", pool.Options{}, cGuest.echo(w), raw),
		poolRow(w, "wasmpool, no polling", pool.Options{Spin: -1}, cGuest.echo(w), raw),
		poolRow(w, "wasmpool, socket", pool.Options{Transport: pool.Socket}, cGuest.echo(w), raw),
		poolRow(w, "wasmpool, sandbox off", pool.Options{Sandbox: pool.Off}, cGuest.echo(w), raw),
	}
}

// funcRow is the way with the most comfort: Go values in and out, as JSON, by a
// guest in Go.
func funcRow(w workload, g guest) row {
	return poolRow(w, "wasmpool, pool.Func, "+g.name, pool.Options{}, job{guest: g, function: "echoText", want: len(w.text())}, func(p *pool.Pool, j job) func(context.Context) error {
		echo := pool.Func[string](p, j.guest.name, j.function)
		text := w.text()
		return func(ctx context.Context) error {
			got, err := echo(ctx, text)
			if err != nil {
				return err
			}
			return expect(len(got), j.want)
		}
	})
}

// caller is a way to call; what it returns calls once.
type caller func(*pool.Pool, job) func(context.Context) error

// raw leaves the bytes of the call alone.
func raw(p *pool.Pool, j job) func(context.Context) error {
	return func(ctx context.Context) error {
		got, err := p.CallRaw(ctx, j.guest.name, j.function, j.args)
		if err != nil {
			return err
		}
		return expect(len(got), j.want)
	}
}

// poolRow is a pool with some options, whose workers are there from the start.
func poolRow(w workload, what string, o pool.Options, j job, way caller) row {
	return row{workload: w, what: what, ours: true, start: func(ctx context.Context, w workload) (*target, error) {
		o := o
		o.Min, o.Max, o.Preload = w.workers(), w.workers(), []string{j.guest.name}
		o, forget, err := equip(ctx, o, j.guest)
		if err != nil {
			return nil, err
		}
		p, err := pool.New(o)
		if err != nil {
			return nil, errors.Join(err, forget())
		}
		end := func() error { return errors.Join(stop(p), forget()) }
		call := way(p, j)
		if err := call(ctx); err != nil {
			return nil, errors.Join(err, end())
		}
		return &target{measure: repeat(w.callers, call), close: end, note: missing(p, o)}, nil
	}}
}

// equip adds a guest to the options of a pool, and a cache for it that is
// forgotten with the row.
func equip(ctx context.Context, o pool.Options, g guest) (_ pool.Options, forget func() error, err error) {
	wasm, err := g.wasm(ctx)
	if err != nil {
		return o, nil, err
	}
	o.Modules = map[string]pool.Module{g.name: {Bytes: wasm}}
	o.Logger = slog.New(slog.DiscardHandler) // what the sandbox lacks is noted below the table
	if o.CacheDir, err = os.MkdirTemp("", "wasmpool-bench-"); err != nil {
		return o, nil, fmt.Errorf("making a cache for the pool: %w", err)
	}
	return o, func() error { return os.RemoveAll(o.CacheDir) }, nil
}

// stop ends a pool, whatever has become of the context of the run.
func stop(p *pool.Pool) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return p.Stop(ctx)
}

// missing says which layers of the sandbox that it wanted a pool does without.
func missing(p *pool.Pool, o pool.Options) string {
	var off []string
	for _, l := range p.Stats().Sandbox {
		if !l.On && o.Sandbox != pool.Off {
			off = append(off, l.Name)
		}
	}
	if off == nil {
		return ""
	}
	return "this machine has no " + strings.Join(off, ", ") + " for the sandbox"
}

// expect sees that an answer has the right length: a row that answers nonsense
// is no row.
func expect(got, want int) error {
	if got != want {
		return fmt.Errorf("the answer has %d bytes, want %d", got, want)
	}
	return nil
}
