package isolate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/wasmpool/wasmpool/abi"
	"github.com/wasmpool/wasmpool/isolate/engine"
)

// phase is what a slot's instance is doing, by which its imports mean
// something.
//
//	outside ──start──▶ starting ──▶ outside ──Call──▶ running ──▶ outside
//	outside ──list──▶ listing ──▶ outside
type phase uint8

const (
	outside  phase = iota // no call: input, function and reply are empty, output is ignored
	starting              // as outside, but what fail sets is kept
	listing               // as outside, but output is kept
	running               // in a call
)

// slot is the place of one instance, and the [engine.Host] of whichever is in
// it. It belongs to the goroutine that calls it.
type slot struct {
	isolate  *Isolate
	instance engine.Instance // nil: the next call makes one

	phase   phase
	call    *Call     // while running
	arrived time.Time // when the call came, if it has a deadline
	context []byte    // composed once a call, when asked for
	reply   []byte    // of the last host call

	output  []byte // what output set, if replied
	errored []byte // what fail set, if failed
	replied bool
	failed  bool

	stdout, stderr *lines
}

var _ engine.Host = (*slot)(nil)

func newSlot(x *Isolate) *slot {
	bound := int(x.settings.Limits.LogLineBytes)
	return &slot{
		isolate: x,
		stdout:  &lines{log: x.log, source: LogStdout, bound: bound},
		stderr:  &lines{log: x.log, source: LogStderr, bound: bound, tail: new(tail)},
	}
}

// start makes an instance and initialises it. Its error is the module's fault,
// or the engine's.
func (s *slot) start(ctx context.Context) error {
	x := s.isolate
	s.reset()
	s.phase = starting
	defer s.end()
	instance, err := x.module.Instantiate(ctx, engine.InstanceConfig{
		Host:   s,
		Args:   append([]string{x.settings.Name}, x.settings.Args...),
		Env:    x.settings.Env,
		Stdout: s.stdout,
		Stderr: s.stderr,
	})
	if err != nil {
		return s.unstarted("while it started", err)
	}
	s.instance = instance
	if !x.exports[abi.ExportInit] {
		return nil
	}
	status, err := instance.Invoke(abi.ExportInit)
	switch {
	case err != nil:
		err = s.unstarted("in "+abi.ExportInit, err)
	case status != 0 && s.failed:
		err = x.invalid(abi.InitFailed, "is not ready: %s", clipTo(abi.ParseError(s.errored).Error(), maxMessage))
	case status != 0:
		err = x.invalid(abi.InitFailed, "is not ready: %s returned %d", abi.ExportInit, status)
	}
	if err != nil {
		x.dropped(s)
	}
	return err
}

// unstarted says why there is no instance.
func (s *slot) unstarted(where string, err error) error {
	var (
		invalid *engine.InvalidError
		trap    *engine.TrapError
		exit    *engine.ExitError
		limit   *engine.LimitError
	)
	switch {
	case errors.As(err, &invalid):
		return s.isolate.named(err)
	case errors.As(err, &trap):
		return s.isolate.invalid(abi.InitFailed, "trapped %s: %s", where, s.withLastWords(trap.Message))
	case errors.As(err, &exit):
		return s.isolate.invalid(abi.InitFailed, "%s %s", s.withLastWords(exit.Error()), where)
	case errors.As(err, &limit):
		return s.isolate.invalid(abi.InitFailed, "exceeded a limit %s: %v", where, limit)
	}
	return s.isolate.named(err)
}

// list runs wasmpool_functions.
func (s *slot) list() ([]string, error) {
	s.reset()
	s.phase = listing
	status, err := s.instance.Invoke(abi.ExportFunctions)
	s.end()
	if err != nil {
		return nil, s.unstarted("in "+abi.ExportFunctions, err)
	}
	if status != 0 {
		return nil, s.isolate.invalid(abi.InitFailed, "does not say what it can do: %s returned %d", abi.ExportFunctions, status)
	}
	var names []string
	if err := json.Unmarshal(s.output, &names); err != nil {
		return nil, s.isolate.invalid(abi.WrongShape, "%s put %q, want a JSON array of names", abi.ExportFunctions, clip(string(s.output)))
	}
	if len(names) > maxListed {
		return nil, s.isolate.invalid(abi.TooLarge, "lists %d functions; the limit is %d", len(names), maxListed)
	}
	return names, nil
}

// signal runs wasmpool_signal, if there is an instance.
func (s *slot) signal(number int32) {
	if s.instance == nil {
		return
	}
	s.reset()
	err := s.instance.Signal(abi.ExportSignal, number)
	s.end()
	if err != nil {
		s.isolate.log(LogChild, levelError, fmt.Appendf(nil,
			"module %q: signal %d: %s", s.isolate.settings.Name, number, s.withLastWords(err.Error())))
		s.isolate.dropped(s)
	}
}

// keepBytes bounds the buffers that a slot keeps from call to call. A guess:
// most payloads are far smaller.
const keepBytes = 1 << 20

// reset forgets the last call.
func (s *slot) reset() {
	s.output, s.errored = forget(s.output), forget(s.errored)
	s.context = s.context[:0]
	s.replied, s.failed = false, false
	s.stderr.tail.reset()
}

func forget(b []byte) []byte {
	if cap(b) > keepBytes {
		return nil
	}
	return b[:0]
}

// drop closes the instance, if there is one.
func (s *slot) drop() error {
	if s.instance == nil {
		return nil
	}
	instance := s.instance
	s.instance = nil
	return instance.Close()
}

// Input implements [engine.Host].
func (s *slot) Input() []byte {
	if s.phase != running {
		return nil
	}
	return s.call.Arguments
}

// Function implements [engine.Host].
func (s *slot) Function() string {
	if s.phase != running {
		return ""
	}
	return s.call.Function
}

// Reply implements [engine.Host].
func (s *slot) Reply() []byte { return s.reply }

// Output implements [engine.Host].
func (s *slot) Output(payload []byte) error {
	if s.phase != running && s.phase != listing {
		return nil
	}
	if err := s.check("output", payload); err != nil {
		return err
	}
	s.output, s.replied = append(s.output[:0], payload...), true
	return nil
}

// Fail implements [engine.Host].
func (s *slot) Fail(payload []byte) error {
	if s.phase != running && s.phase != starting {
		return nil
	}
	if err := s.check("error", payload); err != nil {
		return err
	}
	s.errored, s.failed = append(s.errored[:0], payload...), true
	return nil
}

func (s *slot) check(what string, payload []byte) error {
	if limit := s.isolate.settings.Limits.OutputBytes; int64(len(payload)) > limit {
		return &engine.LimitError{Name: what, Value: limit, Unit: "bytes"}
	}
	return nil
}

// Log implements [engine.Host].
func (s *slot) Log(level int32, message []byte) {
	s.isolate.log(LogGuest, level, s.cut(message))
}

func (s *slot) cut(text []byte) []byte {
	return text[:min(int64(len(text)), s.isolate.settings.Limits.LogLineBytes)]
}

// Cancelled implements [engine.Host].
func (s *slot) Cancelled() bool {
	return s.phase == running && s.call.Host != nil && s.call.Host.Cancelled()
}

// Call implements [engine.Host].
func (s *slot) Call(name, payload []byte) (int32, error) {
	if s.phase != running || s.call.Host == nil || len(name) > abi.MaxNameBytes {
		return abi.HostNotFound, nil
	}
	if err := s.check("host payload", payload); err != nil {
		return 0, err
	}
	status, reply := s.call.Host.HostCall(string(name), payload)
	switch {
	case status == 0 && len(reply) > maxPayload:
		return 0, &engine.LimitError{Name: "host reply", Value: maxPayload, Unit: "bytes"}
	case status == 0:
		s.reply = reply
		return int32(len(reply)), nil
	case status == abi.HostFailed:
		s.reply = reply
	default:
		s.reply = nil
	}
	return status, nil
}
