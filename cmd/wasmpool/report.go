package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/wasmpool/wasmpool/pool"
)

// report writes an error as one sentence.
func (p *program) report(err error) {
	fmt.Fprintf(p.stderr, "wasmpool: %s\n", sentence(err))
}

// sentence is an error on one line, without what only programmers need.
func sentence(err error) string {
	parts := strings.Split(err.Error(), "\n") // errors that are joined
	for i, part := range parts {
		parts[i] = visible(strings.TrimPrefix(part, "pool: "))
	}
	return strings.Join(parts, "; ")
}

// failure is an error in JSON, on standard error.
type failure struct {
	Kind     string          `json:"kind"` // see kindOf
	Message  string          `json:"message"`
	Module   string          `json:"module"`
	Function string          `json:"function"`
	Guest    *guestError     `json:"guest,omitempty"`
	Stderr   string          `json:"stderr,omitempty"` // the last words of the process
	Limit    string          `json:"limit,omitempty"`
	Fault    string          `json:"fault,omitempty"`
	MayRun   json.RawMessage `json:"may_have_run,omitempty"`
}

// guestError is what a function threw.
type guestError struct {
	Name    string          `json:"name,omitempty"`
	Message string          `json:"message"`
	Stack   string          `json:"stack,omitempty"`
	Data    json.RawMessage `json:"data,omitempty"`
}

// errInterrupted is what becomes of a call whose caller has gone.
var errInterrupted = errors.New("interrupted")

// explain writes why a call failed, and returns it.
func (c *calling) explain(ctx context.Context, p *program, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = errInterrupted
	}
	f := c.failure(err)
	switch {
	case c.json:
		p.writeJSON(p.stderr, map[string]any{"error": f})
	case c.verbose:
		p.report(err)
		p.details(f)
	default:
		p.report(err)
	}
	return err
}

// failure collects what is known of an error.
func (c *calling) failure(err error) *failure {
	f := &failure{Kind: "other", Message: strings.TrimPrefix(err.Error(), "pool: "), Module: c.module, Function: c.function}
	var guest *pool.WorkerError
	var limit *pool.LimitError
	var exit *pool.UnexpectedExitError
	var start *pool.NotReadyError
	var module *pool.ModuleError
	switch {
	case errors.Is(err, errInterrupted):
		f.Kind = "interrupted"
	case errors.As(err, &guest):
		f.Kind = "guest"
		f.Guest = &guestError{guest.Name, guest.Message, guest.Stack, guest.Data}
	case errors.As(err, &limit):
		f.Kind, f.Limit = "limit", limit.Limit
	case errors.As(err, &exit):
		f.Kind, f.Stderr = "exit", exit.Stderr
		f.MayRun = json.RawMessage(fmt.Sprint(exit.Started))
	case errors.As(err, &module):
		f.Kind, f.Fault = "module", string(module.Fault)
	case errors.As(err, &start):
		f.Kind, f.Stderr = "not ready", start.Exit.Stderr
	}
	return f
}

// details writes what is longer than a sentence.
func (p *program) details(f *failure) {
	if g := f.Guest; g != nil {
		p.block("stack", g.Stack)
		if g.Data != nil {
			fmt.Fprintf(p.stderr, "  data: %s\n", visibleJSON(g.Data))
		}
	}
	p.block("last words", f.Stderr)
}

// block writes lines under a title, if there are any.
func (p *program) block(title, text string) {
	if strings.TrimSpace(text) == "" {
		return
	}
	var b strings.Builder
	fmt.Fprintf(&b, "  %s:\n", title)
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		fmt.Fprintf(&b, "    %s\n", visible(line))
	}
	fmt.Fprint(p.stderr, b.String())
}
