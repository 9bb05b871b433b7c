// Command bench measures what a call through wasmpool costs beside what its
// neighbours cost, all in one run on one machine. README.md says what each row is.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// The exit codes.
const (
	exitOK     = 0
	exitFailed = 1 // nothing was measured, or a file could not be written
	exitUsage  = 2 // the command line is wrong
)

func main() {
	if serve, ok := roles[os.Getenv(roleVariable)]; ok {
		signal.Ignore(os.Interrupt) // the terminal sends it to all of us; the parent decides
		serve()
		return
	}
	ctx, release := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, release) // so that a second one ends the program at once
	os.Exit(command(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// command is the program but for signals.
func command(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	switch {
	case errors.Is(err, errHelp):
		return exitOK
	case err != nil:
		fmt.Fprintf(stderr, "bench: %v\n", err)
		return exitUsage
	}
	b := newBuilds(stderr)
	defer func() {
		if err := b.close(); err != nil {
			fmt.Fprintf(stderr, "bench: %v\n", err)
		}
	}()
	rows := selected(allRows(o, b), o.rows)
	if len(rows) == 0 {
		fmt.Fprintf(stderr, "bench: no row matches %q; -list names them\n", o.rows)
		return exitUsage
	}
	if o.list {
		for _, r := range rows {
			fmt.Fprintln(stdout, r.name())
		}
		return exitOK
	}
	if o.node {
		if err := installNode(ctx, stderr); err != nil {
			fmt.Fprintf(stderr, "bench: %v\n", err) // its rows say that they lack modules
		}
	}
	results := measureAll(ctx, rows, o.duration, stderr)
	if err := write(o, describe(ctx), results, stdout); err != nil {
		fmt.Fprintf(stderr, "bench: %v\n", err)
		return exitFailed
	}
	if !anyMeasured(results) {
		return exitFailed
	}
	return exitOK
}

// write hands out the results in every form that was asked for.
func write(o options, m machine, results []result, stdout io.Writer) error {
	text := markdown(m, results)
	if o.json {
		encoded, err := encode(m, results)
		if err != nil {
			return err
		}
		text = encoded
	}
	if _, err := io.WriteString(stdout, text); err != nil {
		return fmt.Errorf("writing the results: %w", err)
	}
	for _, f := range []struct{ path, text string }{{o.md, markdown(m, results)}, {o.svg, svg(m, results)}} {
		if f.path == "" {
			continue
		}
		if err := os.WriteFile(f.path, []byte(f.text), 0o644); err != nil {
			return fmt.Errorf("writing the results: %w", err)
		}
	}
	return nil
}
