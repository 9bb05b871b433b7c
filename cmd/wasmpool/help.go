package main

import (
	"context"
	"flag"
	"fmt"
	"strings"
)

const overview = `wasmpool runs functions of untrusted WebAssembly modules in child processes.

Usage: wasmpool <command> [flags] [arguments]

`

const codes = `
Exit codes: 0 it worked, 1 it failed (the reason is on standard error), 2 the
command line is wrong and nothing was tried.

This program can also be the value of pool.Options.Runner: a pool that starts it
finds a worker.
`

func helpCommand() command {
	return command{
		name:    "help",
		usage:   "[command]",
		summary: "say how a command is used",
		define: func(*flag.FlagSet) runner {
			return func(_ context.Context, p *program, args []string) error {
				switch len(args) {
				case 0:
					return p.describeAll()
				case 1:
					if c, ok := lookup(args[0]); ok {
						return p.describe(c)
					}
					return usagef("there is no command %q", args[0])
				}
				return usagef("help takes one command, but got %q, too", args[1])
			}
		},
	}
}

// describeAll prints what commands there are.
func (p *program) describeAll() error {
	var b strings.Builder
	b.WriteString(overview)
	for _, c := range commands() {
		fmt.Fprintf(&b, "  %-12s%s\n", c.name, c.summary)
	}
	b.WriteString("\n\"wasmpool help <command>\" says more.\n" + codes)
	_, err := fmt.Fprint(p.stdout, b.String())
	return err
}

// describe prints how a command is used.
func (p *program) describe(c command) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Usage: wasmpool %s %s\n\n%s%s.\n", c.name, c.usage, strings.ToUpper(c.summary[:1]), c.summary[1:])
	if c.help != "" {
		b.WriteString("\n" + c.help + "\n")
	}
	flags := flagsOf(c)
	if len(flags) > 0 {
		b.WriteString("\nFlags:\n")
	}
	for _, f := range flags {
		value, usage := flag.UnquoteUsage(f)
		left := dashed(f.Name)
		if value != "" {
			left += " " + value
		}
		fmt.Fprintf(&b, "  %-20s%s\n", left, strings.ReplaceAll(usage, "\n", "\n"+strings.Repeat(" ", 22)))
	}
	_, err := fmt.Fprint(p.stdout, b.String())
	return err
}

// flagsOf are the flags of a command, by name.
func flagsOf(c command) []*flag.Flag {
	set := flag.NewFlagSet(c.name, flag.ContinueOnError)
	c.define(set)
	var flags []*flag.Flag
	set.VisitAll(func(f *flag.Flag) { flags = append(flags, f) })
	return flags
}

// takesValue reports whether a value follows a flag.
func takesValue(f *flag.Flag) bool {
	b, ok := f.Value.(interface{ IsBoolFlag() bool })
	return !ok || !b.IsBoolFlag()
}
