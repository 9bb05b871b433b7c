// Package child is what a child process does: it serves one module, in an
// isolate, to the one at the other end of its connection.
package child

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/wasmpool/wasmpool/isolate"
	"github.com/wasmpool/wasmpool/isolate/engine"
	"github.com/wasmpool/wasmpool/isolate/wazero"
	"github.com/wasmpool/wasmpool/subprocess"
)

// TakeOver makes this program a child if it was started as one, and never
// returns then.
func TakeOver() { subprocess.TakeOver(NewHandler) }

// handler serves a module in an isolate.
type handler struct {
	engine  engine.Engine
	isolate *isolate.Isolate
	slots   []slot
}

// slot is what a call in an instance is made of, kept for the next one.
type slot struct {
	call       isolate.Call
	invocation *subprocess.Invocation
}

// NewHandler returns what serves one module. Its engine is made ready while
// nothing else is to be done.
func NewHandler() subprocess.Handler { return &handler{engine: wazero.NewPrepared()} }

func (h *handler) Load(ctx context.Context, m *subprocess.Module, out subprocess.Outlet) (json.RawMessage, error) {
	var s isolate.Settings
	if err := json.Unmarshal(m.Settings, &s); err != nil {
		return nil, fmt.Errorf("child: settings of a module: %w", err)
	}
	s.Code = m.File
	h.slots = make([]slot, m.Slots)
	h.isolate = isolate.New(h.engine, func(source isolate.LogSource, level int32, text []byte) {
		out.Log(subprocess.LogSource(source), level, text)
	})
	h.isolate.OnCompiled(out.Seal)
	info, err := h.isolate.Load(ctx, s, m.Source)
	var invalid *engine.InvalidError
	if errors.As(err, &invalid) {
		return nil, &subprocess.Refusal{Fault: invalid.Fault, Message: invalid.Message}
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(info)
}

func (h *handler) Call(i int, call *subprocess.Invocation, result *subprocess.Result) {
	s := &h.slots[i]
	s.invocation = call
	s.call = isolate.Call{
		ID: call.ID, Attempt: call.Attempt, DeadlineMS: call.DeadlineMS,
		Function: call.Function, Meta: call.Meta, Arguments: call.Arguments, Host: s,
	}
	result.Code, result.Payload = h.isolate.Call(i, &s.call)
}

func (s *slot) HostCall(name string, payload []byte) (int32, []byte) {
	reply := s.invocation.Host(name, payload)
	return int32(reply.Status), reply.Payload
}

func (s *slot) Cancelled() bool { return s.invocation.Cancelled() }

func (h *handler) Signal(number int) {
	if h.isolate != nil {
		h.isolate.Signal(number)
	}
}

func (h *handler) Rest() { h.isolate.Collect() }
