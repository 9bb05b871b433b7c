package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wasmpool/wasmpool/pool"
)

// Bounds of flags. Guesses: beyond them a program of one's own is the better
// tool.
const (
	maxRepeat  = 100_000_000
	maxWorkers = 1_000
)

// calling is what the flags of call say.
type calling struct {
	module, function string

	args    []string
	env     map[string]string
	timeout time.Duration
	sha256  string
	repeat  int
	workers int
	strings bool
	raw     bool
	stats   bool
	json    bool
	verbose bool
}

func callCommand() command {
	return command{
		name:    "call",
		usage:   "[flags] <module> <function> [argument…]",
		summary: "call a function of a module and print its result",
		files:   true,
		firm:    2,
		help: `Each argument is JSON: 5, true, null, '"text"', '{"a": [1, 2]}'. One argument
may be -, which reads it from standard input. Flags stand before the function:
what follows it are arguments, also those that begin with a dash.

The result is printed on standard output as one line of JSON. What the module
prints and logs goes to standard error, line by line, each with where it comes
from. Control characters are escaped in both.

The module runs in a process of its own, and sees no more of this machine than
its clock, random numbers, and what --env and --arg give it. Ctrl-C cancels the
call.`,
		define: func(flags *flag.FlagSet) runner {
			c := &calling{env: map[string]string{}, repeat: 1, workers: 1}
			durationFlag(flags, &c.timeout, "timeout", "end the call when it has run for this `DURATION`, such as 500ms")
			envFlag(flags, c.env, "env", "give the module a variable, `NAME=VALUE`; may be repeated")
			listFlag(flags, &c.args, "arg", "give the module an argument (its argv), `TEXT`; may be repeated")
			digestFlag(flags, &c.sha256, "sha256", "refuse a module with another digest than `HEX`")
			flags.BoolVar(&c.strings, "s", false, "take each argument as a string, as it is")
			flags.BoolVar(&c.raw, "raw", false, "take the bytes of standard input instead of arguments, and print\nthose of the result, as they are")
			countFlag(flags, &c.repeat, "repeat", maxRepeat, "make the call `N` times")
			countFlag(flags, &c.workers, "workers", maxWorkers, "with --repeat: on up to `N` processes at once (default 1)")
			flags.BoolVar(&c.stats, "stats", false, "afterwards, print on standard error how long calls took, and where")
			flags.BoolVar(&c.json, "json", false, "print errors and --stats as JSON, too")
			flags.BoolVar(&c.verbose, "verbose", false, "of an error, also show its stack and its data")
			return c.run
		},
	}
}

func (c *calling) run(ctx context.Context, p *program, args []string) error {
	if len(args) < 2 {
		return usagef("call needs a module and a function")
	}
	if args[0] == "" {
		return usagef("call needs a module, but its name is empty")
	}
	c.module, c.function = args[0], args[1]
	input, err := c.input(p.stdin, args[2:])
	if err != nil {
		return err
	}
	err = c.withPool(p, func(workers *pool.Pool) error { return c.calls(ctx, p, workers, input) })
	if err == nil {
		return nil
	}
	return reportedError{c.explain(ctx, p, err)}
}

// withPool runs f with a pool, which is stopped when that returns.
func (c *calling) withPool(p *program, f func(*pool.Pool) error) error {
	watch := newProgress(p)
	options := pool.Options{
		Max: c.workers, Args: c.args, Env: c.env, CallTimeout: c.timeout,
		Logger: slog.New(slog.DiscardHandler),
		Events: pool.Events{Log: p.log, Compile: watch.compile},
	}
	if c.sha256 != "" {
		options.Modules = map[string]pool.Module{c.module: {Source: c.module, SHA256: c.sha256}}
	}
	workers, err := pool.New(options)
	if err != nil {
		return err
	}
	err = f(workers)
	if s := workers.Stats(); c.stats && s.Calls > 0 {
		p.printStats(s, c.json)
	}
	if stopErr := workers.Close(); err == nil {
		err = stopErr
	}
	watch.end()
	return err
}

// calls makes the calls, as many at once as there may be workers, and prints
// their results as they come. It ends with the first that fails.
func (c *calling) calls(ctx context.Context, p *program, workers *pool.Pool, input []byte) error {
	ctx, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	results := make(chan []byte)
	var begun atomic.Int64
	var callers sync.WaitGroup
	for range min(c.workers, c.repeat) {
		callers.Go(func() {
			for begun.Add(1) <= int64(c.repeat) && ctx.Err() == nil {
				result, err := c.once(ctx, workers, input)
				if err != nil {
					giveUp(err)
					return
				}
				results <- result
			}
		})
	}
	go func() { // ends with the callers
		callers.Wait()
		close(results)
	}()
	for result := range results {
		if err := c.print(p.stdout, result); err != nil {
			giveUp(fmt.Errorf("the result cannot be printed: %w", err))
		}
	}
	return context.Cause(ctx)
}

func (c *calling) once(ctx context.Context, workers *pool.Pool, input []byte) ([]byte, error) {
	result, err := workers.CallRaw(ctx, c.module, c.function, input)
	if err == nil && !c.raw && !json.Valid(result) {
		err = fmt.Errorf("call %q: the result is not JSON; --raw prints it as it is", c.function)
	}
	return result, err
}

func (c *calling) print(w io.Writer, result []byte) error {
	if c.raw {
		_, err := w.Write(result)
		return err
	}
	_, err := fmt.Fprintln(w, visibleJSON(result))
	return err
}
