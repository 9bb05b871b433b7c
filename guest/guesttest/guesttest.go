// Package guesttest runs the exported functions of a Go worker natively, in go
// test, against a host that the test scripts.
//
// A test of a worker lies beside it, in package main: its init functions have
// exported everything when the test runs.
package guesttest

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/wasmpool/wasmpool/abi"
	"github.com/wasmpool/wasmpool/guest"
	"github.com/wasmpool/wasmpool/guest/internal/border"
)

// Call calls an exported function with a host that grants nothing. It is
// [Host.Call] of the zero Host.
func Call(t testing.TB, function string, arguments ...any) (json.RawMessage, error) {
	t.Helper()
	return new(Host).Call(t, function, arguments...)
}

// Host is what a worker sees of the world. The zero value grants nothing. Set
// the fields before the first call; the methods are safe for concurrent use,
// but an exported function that keeps state has to be ready for that.
type Host struct {
	// Granted holds the host functions, by name. Each gets the
	// JSON that the guest sent; its result is what JSON can carry.
	Granted map[string]func(ctx context.Context, arguments json.RawMessage) (any, error)

	// Context holds the members of the context of each call, as in the ABI:
	// "id", "attempt", "deadline_ms", and what a caller might attach.
	Context map[string]any

	// Cancelled, if set, says whether the caller has given up. A host function
	// that is called then is not run.
	Cancelled func() bool

	mu   sync.Mutex
	logs []Record

	calls atomic.Uint64
}

// Record is one log record of the worker.
type Record struct {
	Level slog.Level
	Text  string
}

// Call calls an exported function with arguments that JSON can carry, through
// the same dispatcher as in a worker, and returns its JSON result: null if it
// set none. An error is a [*guest.Error]; that of a function which does not
// exist is named "FunctionNotFound".
func (h *Host) Call(t testing.TB, function string, arguments ...any) (json.RawMessage, error) {
	t.Helper()
	if arguments == nil {
		arguments = []any{}
	}
	input, err := json.Marshal(arguments)
	if err != nil {
		t.Fatalf("guesttest: call %q: the arguments: %v", function, err)
	}
	return h.CallRaw(t, function, input)
}

// CallRaw is [Host.Call] with arguments, usually a JSON array, that are passed
// as they are.
func (h *Host) CallRaw(t testing.TB, function string, arguments []byte) (json.RawMessage, error) {
	t.Helper()
	c := h.newCall(t, function, arguments)
	switch status := guest.Exports(c).Call(); status {
	case 0:
		if c.output == nil {
			return json.RawMessage("null"), nil
		}
		return c.output, nil
	case 2:
		return nil, &guest.Error{Name: "FunctionNotFound", Message: fmt.Sprintf("no function %q is exported", function)}
	default:
		return nil, c.failure(status)
	}
}

// Exported returns the names that are exported, sorted.
func (h *Host) Exported(t testing.TB) []string {
	t.Helper()
	c := h.newCall(t, "", nil)
	var names []string
	if status := guest.Exports(c).Functions(); status != 0 {
		t.Fatalf("guesttest: functions: %v", c.failure(status))
	}
	if err := json.Unmarshal(c.output, &names); err != nil {
		t.Fatalf("guesttest: functions: %v", err)
	}
	return names
}

// Init runs the hooks of [guest.OnInit], which Call does not.
func (h *Host) Init(t testing.TB) error {
	t.Helper()
	c := h.newCall(t, "", nil)
	if status := guest.Exports(c).Init(); status != 0 {
		return c.failure(status)
	}
	return nil
}

// Signal runs the hooks of [guest.OnSignal].
func (h *Host) Signal(t testing.TB, signal int) {
	t.Helper()
	guest.Exports(h.newCall(t, "", nil)).Signal(int32(signal))
}

// Logs returns what was logged up to now, in order.
func (h *Host) Logs() []Record {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.logs)
}

func (h *Host) newCall(t testing.TB, function string, arguments []byte) *call {
	t.Helper()
	members := map[string]any{"id": h.calls.Add(1), "attempt": 1}
	for name, value := range h.Context {
		members[name] = value
	}
	about, err := json.Marshal(members)
	if err != nil {
		t.Fatalf("guesttest: the context of call %q: %v", function, err)
	}
	return &call{host: h, ctx: t.Context(), function: function, input: arguments, about: about}
}

var _ border.Host = (*call)(nil)

// failure is what the guest gave to fail.
func (c *call) failure(status int32) error {
	if c.failed == nil {
		return &guest.Error{Message: fmt.Sprintf("returned %d", status)}
	}
	e := abi.ParseError(c.failed)
	out := &guest.Error{Name: e.Name, Message: e.Message, Stack: e.Stack, Extra: e.Extra}
	if e.Data != nil {
		out.Data = e.Data
	}
	return out
}
