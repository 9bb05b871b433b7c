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
	"github.com/wasmpool/wasmpool/testdata/wasm"
)

// poolRows are this project, as it is used, with the sandbox and without.
func poolRows(w workload) []row {
	return []row{
		{workload: w, what: "wasmpool", ours: true, start: func(ctx context.Context, w workload) (*target, error) {
			return startPool(ctx, w, pool.Default, "echo", w.arguments(), w.payload)
		}},
		{workload: w, what: "wasmpool, sandbox off", ours: true, start: func(ctx context.Context, w workload) (*target, error) {
			return startPool(ctx, w, pool.Off, "echo", w.arguments(), w.payload)
		}},
	}
}

// startPool starts a pool that calls one function of the C guest and expects an
// answer of some length.
func startPool(ctx context.Context, w workload, sandbox pool.Sandbox, function string, args []byte, want int) (*target, error) {
	cache, err := os.MkdirTemp("", "wasmpool-bench-")
	if err != nil {
		return nil, fmt.Errorf("making a cache for the pool: %w", err)
	}
	p, err := pool.New(pool.Options{
		Min: w.workers(), Max: w.workers(), Sandbox: sandbox, Preload: []string{"echo"},
		Modules:  map[string]pool.Module{"echo": {Bytes: wasm.Module("echo")}},
		CacheDir: cache,
		Logger:   slog.New(slog.DiscardHandler), // what the sandbox lacks is noted below the table
	})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(cache))
	}
	end := func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		return errors.Join(p.Stop(ctx), os.RemoveAll(cache))
	}
	call := func(ctx context.Context) error {
		got, err := p.CallRaw(ctx, "echo", function, args)
		if err != nil {
			return err
		}
		return expect(got, want)
	}
	if err := call(ctx); err != nil {
		return nil, errors.Join(err, end())
	}
	t := &target{measure: repeat(w.callers, call), close: end}
	if sandbox != pool.Off {
		t.note = missing(p.Stats().Sandbox)
	}
	return t, nil
}

// missing says which layers of the sandbox a row was measured without.
func missing(layers []pool.Layer) string {
	var off []string
	for _, l := range layers {
		if !l.On {
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
func expect(got []byte, want int) error {
	if len(got) != want {
		return fmt.Errorf("the answer has %d bytes, want %d", len(got), want)
	}
	return nil
}
