package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"strings"

	"github.com/wasmpool/wasmpool/pool"
)

func doctorCommand() command {
	return command{
		name:    "doctor",
		usage:   "[flags]",
		summary: "say which layers of the sandbox workers have on this machine",
		help: `A worker is started, without a module, and tries what each layer must refuse; the
kernel is asked for the rest. The exit code is 1 when a layer is off, and the
reason says what would help.`,
		define: func(flags *flag.FlagSet) runner {
			asJSON := flags.Bool("json", false, "print JSON")
			path := flags.String("runner", "", "the `program` that workers run in; without it,\nthis one")
			return func(ctx context.Context, p *program, args []string) error {
				if len(args) > 0 {
					return usagef("doctor takes no argument, but got %q", args[0])
				}
				return p.doctor(ctx, *path, *asJSON)
			}
		},
	}
}

func (p *program) doctor(ctx context.Context, path string, asJSON bool) error {
	workers, err := pool.New(pool.Options{Manual: true, Min: 1, Runner: path, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer workers.Close()
	if err := workers.Start(ctx); err != nil {
		if ctx.Err() != nil {
			return errInterrupted
		}
		return err
	}
	layers := workers.Stats().Sandbox
	if asJSON {
		p.writeJSON(p.stdout, layers)
	} else {
		fmt.Fprint(p.stdout, findings(layers))
	}
	if off := offOf(layers); off > 0 {
		return reportedError{errors.New("a layer is off")}
	}
	return nil
}

// findings are layers in words.
func findings(layers []pool.Layer) string {
	var b strings.Builder
	for _, l := range layers {
		state := "on"
		if !l.On {
			state = "OFF  " + visible(l.Why)
		}
		fmt.Fprintf(&b, "%-14s%s\n", l.Name, state)
	}
	switch off := offOf(layers); off {
	case 0:
		fmt.Fprintf(&b, "\nAll %d layers are on.\n", len(layers))
	default:
		fmt.Fprintf(&b, "\n%d of %d layers are off.\n", off, len(layers))
	}
	return b.String()
}

func offOf(layers []pool.Layer) (off int) {
	for _, l := range layers {
		if !l.On {
			off++
		}
	}
	return off
}
