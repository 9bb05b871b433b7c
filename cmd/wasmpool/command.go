package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
)

// command is one of the things that the program does. The completion scripts
// are made from the same table.
type command struct {
	name    string
	usage   string // its arguments
	summary string // one line
	help    string // what there is to know besides the flags
	topics  []string
	files   bool // its first argument is a module

	// define adds flags, and returns what runs the command with them.
	define func(*flag.FlagSet) runner
	// firm is how many arguments flags may stand between; all that follows the
	// last of them is an argument.
	firm int
}

// runner runs a command with the arguments that are not flags.
type runner func(ctx context.Context, p *program, args []string) error

var shells = []string{"bash", "zsh", "fish"}

// commands returns all of them, in the order of the help text.
func commands() []command {
	list := []command{callCommand(), inspectCommand(), doctorCommand(), completionCommand(), versionCommand(), helpCommand()}
	for i := range list {
		if list[i].name == "help" {
			for _, c := range list {
				list[i].topics = append(list[i].topics, c.name)
			}
		}
	}
	return list
}

// usageError is a mistake in the command line.
type usageError struct{ message string }

func (e *usageError) Error() string { return e.message }

func usagef(format string, args ...any) error {
	return &usageError{fmt.Sprintf(format, args...)}
}

// reportedError is a failure that has been written about already.
type reportedError struct{ error }

// run runs the command line and returns the exit code.
func (p *program) run(ctx context.Context, args []string) int {
	name, err := p.dispatch(ctx, args)
	var usage *usageError
	var reported reportedError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &usage):
		topic := "wasmpool help"
		if name != "" {
			topic += " " + name
		}
		fmt.Fprintf(p.stderr, "wasmpool: %s; see %q\n", visible(usage.message), topic)
		return exitUsage
	case errors.As(err, &reported):
		return exitFailed
	}
	p.report(err)
	return exitFailed
}

// dispatch finds the command that is meant, and runs it. It returns the name as
// well, if there is such a command.
func (p *program) dispatch(ctx context.Context, args []string) (name string, err error) {
	if len(args) == 0 {
		return "", usagef("a command is needed")
	}
	switch args[0] {
	case "-h", "-help", "--help":
		args[0] = "help"
	case "-version", "--version":
		args[0] = "version"
	}
	c, ok := lookup(args[0])
	if !ok {
		return "", usagef("there is no command %q", args[0])
	}
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	run := c.define(flags)
	rest, err := parse(flags, args[1:], c.firm)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return c.name, p.describe(c)
	case err != nil:
		return c.name, usagef("%s", flagFault(err))
	}
	return c.name, run(ctx, p, rest)
}

func lookup(name string) (command, bool) {
	list := commands()
	i := slices.IndexFunc(list, func(c command) bool { return c.name == name })
	if i < 0 {
		return command{}, false
	}
	return list[i], true
}

// parse parses flags, also between the first arguments, until there are enough
// of these.
func parse(flags *flag.FlagSet, args []string, firm int) (rest []string, err error) {
	for {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		taken := len(args) - flags.NArg()
		if ended := taken > 0 && args[taken-1] == "--"; ended || flags.NArg() == 0 {
			return append(rest, flags.Args()...), nil
		}
		if rest = append(rest, flags.Arg(0)); len(rest) == firm {
			return append(rest, flags.Args()[1:]...), nil
		}
		args = flags.Args()[1:]
	}
}
