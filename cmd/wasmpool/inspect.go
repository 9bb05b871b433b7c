package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"strings"

	"github.com/wasmpool/wasmpool/pool"
)

func inspectCommand() command {
	return command{
		name:    "inspect",
		usage:   "[flags] <module>",
		summary: "say what is in a module: shape, functions, imports, memory",
		files:   true,
		help: `Nothing of the module is run, and it is read in a process of its own. All that
is printed but the size and the digest is what the module says of itself: names
that are not plain are quoted, and control characters escaped.`,
		define: func(flags *flag.FlagSet) runner {
			asJSON := flags.Bool("json", false, "print JSON")
			return func(ctx context.Context, p *program, args []string) error {
				return p.inspect(ctx, args, *asJSON)
			}
		},
	}
}

func (p *program) inspect(ctx context.Context, args []string, asJSON bool) error {
	if len(args) != 1 {
		return usagef("inspect needs one module")
	}
	workers, err := pool.New(pool.Options{Manual: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	info, err := workers.Inspect(ctx, args[0])
	switch {
	case ctx.Err() != nil:
		return errInterrupted
	case err != nil:
		return err
	case asJSON:
		p.writeJSON(p.stdout, info)
	default:
		fmt.Fprint(p.stdout, description(args[0], info))
	}
	return nil
}

// description is a module in words.
func description(module string, info *pool.ModuleInfo) string {
	var b strings.Builder
	row := func(title, text string) { fmt.Fprintf(&b, "%-10s %s\n", title, text) }
	row("module", visible(module))
	row("size", size(int64(info.Bytes)))
	row("sha256", info.SHA256)
	row("shape", visible(string(info.Shape)))
	row("memory", memoryText(info.Memory))
	list(row, "functions", functionLines(info))
	list(row, "imports", importLines(info.Imports))
	if info.Cut {
		row("", "(there is more than is shown)")
	}
	return b.String()
}

// list writes a row for each line, with a title before the first.
func list(row func(title, text string), title string, lines []string) {
	if len(lines) == 0 {
		lines = []string{"none"}
	}
	for _, line := range lines {
		row(title, line)
		title = ""
	}
}

func memoryText(m *pool.MemoryInfo) string {
	if m == nil {
		return "none"
	}
	return memory(m.MinBytes) + " to " + memory(m.MaxBytes)
}

func functionLines(info *pool.ModuleInfo) []string {
	var lines []string
	for _, f := range info.Functions {
		lines = append(lines, shown(f))
	}
	switch {
	case info.Dispatches && len(lines) == 0:
		return []string{"(the module looks names up itself: only running it would tell)"}
	case info.Dispatches:
		return append(lines, "(and others, if the module knows more names)")
	}
	return lines
}

func importLines(imports []pool.FuncInfo) []string {
	var lines []string
	for _, f := range imports {
		line := fmt.Sprintf("%s.%s (%s)", shown(f.Module), shown(f.Name), visible(strings.Join(f.Params, ", ")))
		if len(f.Results) > 0 {
			line += " -> " + visible(strings.Join(f.Results, ", "))
		}
		lines = append(lines, line)
	}
	return lines
}
