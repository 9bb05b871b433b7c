package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"regexp"
	"time"
)

// options is the command line.
type options struct {
	duration time.Duration // for which a row is measured, all rounds together
	rows     *regexp.Regexp
	json     bool
	md, svg  string // files; empty: none
	list     bool
	node     bool
	many     int           // workers of a pool with many; 0: it is not measured
	idle     time.Duration // for which idle workers are watched; 0: they are not
}

const usage = `bench measures wasmpool beside its neighbours, interleaved, and prints a table.

Usage: go run . [flags]

  -duration D   measure each row for D, in all rounds together (default 1s)
  -rows REGEXP  only the rows whose name matches
  -list         print the names of the rows, and measure nothing
  -json         print JSON instead of a Markdown table
  -md FILE      write the table to a file, too
  -svg FILE     write a chart of the medians to a file
  -many N       measure a pool of N workers, too, which takes N times the memory of one
  -idle D       watch idle workers for D, too, and what they use of a processor
  -node         run npm ci in the directory node first

Ctrl-C ends it early, with what was measured so far; a second one, at once.
`

// errHelp says that help was asked for, and given.
var errHelp = errors.New("help was asked for")

// parse reads the command line. Help goes to w.
func parse(args []string, w io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(io.Discard) // an error is told once, by the caller
	f.DurationVar(&o.duration, "duration", time.Second, "")
	pattern := f.String("rows", "", "")
	f.BoolVar(&o.json, "json", false, "")
	f.StringVar(&o.md, "md", "", "")
	f.StringVar(&o.svg, "svg", "", "")
	f.BoolVar(&o.list, "list", false, "")
	f.BoolVar(&o.node, "node", false, "")
	f.IntVar(&o.many, "many", 0, "")
	f.DurationVar(&o.idle, "idle", 0, "")
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			_, err = io.WriteString(w, usage)
			return o, errors.Join(errHelp, err)
		}
		return o, fmt.Errorf("%w; -help says what there is", err)
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q; -help says what there is", f.Arg(0))
	}
	if o.duration <= 0 {
		return o, fmt.Errorf("-duration is %v; want more than nothing", o.duration)
	}
	if o.many < 0 || o.idle < 0 {
		return o, fmt.Errorf("-many is %d and -idle is %v; want zero or more", o.many, o.idle)
	}
	var err error
	if o.rows, err = regexp.Compile(*pattern); err != nil {
		return o, fmt.Errorf("-rows: %w", err)
	}
	return o, nil
}
