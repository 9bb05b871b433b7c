package isolate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wasmpool/wasmpool/abi"
	"github.com/wasmpool/wasmpool/isolate/engine"
)

// Call is a call of a function, as it was received. The isolate reads it, and
// what it points to, until [Isolate.Call] returns.
type Call struct {
	ID         uint64 // the caller's number for it, in every attempt
	Attempt    int    // 1 for the first
	DeadlineMS int64  // time left when it was sent, in milliseconds; negative: none
	Function   string
	Meta       []byte // a JSON object that the caller attached, or nil
	Arguments  []byte
	Host       Host // nil: no host functions, never cancelled
}

// Host is what a call asks of its surroundings. Its methods run on the
// goroutine of the call.
type Host interface {
	// HostCall calls a host function. The status is zero, or one of
	// abi.HostFailed, abi.HostNotFound, abi.HostCancelled. The payload is the
	// guest's own memory, valid during the method; the reply is read until the
	// next HostCall of the same call, or its end.
	HostCall(name string, payload []byte) (status int32, reply []byte)

	// Cancelled reports whether the caller has given up. A guest may ask as
	// often as it likes.
	Cancelled() bool
}

// null is the result of a function that never called output.
var null = []byte("null")

// Call runs a function in the instance of a slot, and says how it ended. The
// payload is valid until the slot's next Call. A call that ends its instance,
// by a trap, an exit or a limit, is followed by one in a new instance, which
// that call waits for.
func (x *Isolate) Call(slot int, call *Call) (code abi.Code, payload []byte) {
	if slot < 0 || slot >= len(x.slots) {
		panic(fmt.Sprintf("bug: isolate: call in slot %d of %d", slot, len(x.slots)))
	}
	s := x.slots[slot]
	export, ok := x.functions.find(call.Function)
	if !ok {
		return abi.NotFound, encode(x.functions.missing(x.settings.Name, call.Function))
	}
	if limit := x.settings.Limits.InputBytes; int64(len(call.Arguments)) > limit {
		return abi.OverLimit, encode(abi.Limit{Name: "input", Value: limit, Unit: "bytes"})
	}
	if s.instance == nil {
		if err := s.start(context.Background()); err != nil {
			return abi.Trapped, encode(&abi.Error{Name: "InitFailed", Message: err.Error()})
		}
	}
	s.begin(call)
	status, err := s.instance.Invoke(export)
	s.end()
	if err != nil {
		x.dropped(s)
		return s.broken(err)
	}
	if x.settings.Fresh {
		x.dropped(s)
	}
	switch {
	case status == 0:
		return abi.Returned, s.result()
	case status == dispatchNotFound && export == x.functions.dispatch:
		return abi.NotFound, encode(x.functions.missing(x.settings.Name, call.Function))
	default:
		return abi.Failed, s.failure(status)
	}
}

// dispatchNotFound is what a dispatcher returns for a name that it does not
// know.
const dispatchNotFound = 2

// dropped closes the instance of a slot; the next call gets another.
func (x *Isolate) dropped(s *slot) {
	if err := s.drop(); err != nil {
		x.log(LogChild, levelError, fmt.Appendf(nil, "close an instance of module %q: %v", x.settings.Name, err))
	}
}

// begin prepares a slot for a call.
func (s *slot) begin(call *Call) {
	s.reset()
	s.call, s.phase = call, running
	if call.DeadlineMS >= 0 {
		s.arrived = time.Now()
	}
}

// end leaves what the call has put out where it is.
func (s *slot) end() {
	s.call, s.phase, s.reply = nil, outside, nil
	s.stdout.flush()
	s.stderr.flush()
}

// result is the payload of a call that returned.
func (s *slot) result() []byte {
	if s.failed {
		s.isolate.log(LogGuest, levelError, s.cut(s.errored))
	}
	if !s.replied {
		return null
	}
	return s.output
}

// failure is the payload of a call that returned something else than 0.
func (s *slot) failure(status int32) []byte {
	if s.failed {
		return s.errored
	}
	return encode(&abi.Error{Message: fmt.Sprintf("returned %d", status)})
}

// broken is the end of a call that ended its instance.
func (s *slot) broken(err error) (abi.Code, []byte) {
	var (
		trap  *engine.TrapError
		exit  *engine.ExitError
		limit *engine.LimitError
	)
	switch {
	case errors.As(err, &limit):
		return abi.OverLimit, encode(abi.Limit{Name: limit.Name, Value: limit.Value, Unit: limit.Unit})
	case errors.As(err, &trap):
		return abi.Trapped, encode(&abi.Error{
			Name: "Trap", Message: s.withLastWords(trap.Message), Stack: trap.Stack, Data: s.lastWords(nil),
		})
	case errors.As(err, &exit):
		return abi.Exited, encode(&abi.Error{
			Name: "Exit", Message: s.withLastWords(exit.Error()), Data: s.lastWords(&exit.Code),
		})
	}
	return abi.Broken, encode(&abi.Error{Name: "Broken", Message: err.Error()})
}
