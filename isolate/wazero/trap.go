package wazero

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tetratelabs/wazero/sys"

	"github.com/wasmpool/wasmpool/abi"
	"github.com/wasmpool/wasmpool/isolate/engine"
)

// errEnded unwinds the guest; what ended it is in instance.ended.
var errEnded = errors.New("ended by the host")

// end ends the guest's call with err, which the call then returns as it is.
func (x *instance) end(err error) {
	x.ended = err
	panic(errEnded)
}

// translate tells what ended a guest's call. wazero says it in text only.
func (x *instance) translate(err error) error {
	if err == nil {
		return nil
	}
	head, frames := splitTrap(err.Error())
	if ended := x.ended; ended != nil {
		if trap := new(engine.TrapError); errors.As(ended, &trap) && trap.Stack == "" {
			trap.Stack = frames
		}
		return ended
	}
	if exit := new(sys.ExitError); errors.As(err, &exit) {
		return &engine.ExitError{Code: exit.ExitCode()}
	}
	if _, message, ok := strings.Cut(head, "wasm error: "); ok {
		return &engine.TrapError{Message: message, Stack: frames}
	}
	switch {
	case strings.HasSuffix(head, "stack overflow"):
		return &engine.TrapError{Message: "stack overflow", Stack: frames}
	case strings.Contains(head, recovered) && x.serving:
		return fmt.Errorf("wazero: the host panicked: %w", err)
	case strings.Contains(head, recovered):
		// A WASI function that a guest made panic, by pointers that wrap for
		// example, is the guest's own doing.
		message, _, _ := strings.Cut(head, recovered)
		return &engine.TrapError{Message: "a WASI call failed: " + strings.TrimSpace(message), Stack: frames}
	case x.guest == nil:
		// Data or elements that do not fit: nothing has run.
		return &engine.InvalidError{Fault: abi.InitFailed, Message: head}
	}
	return fmt.Errorf("wazero: %w", err)
}

// recovered is how wazero marks what it caught and did not throw itself.
const recovered = "(recovered by wazero)"

// maxFrame bounds a line of a stack, whose names are the module's. A guess.
const maxFrame = 200

// splitTrap divides the text of wazero's errors into what happened and where,
// innermost frame first.
func splitTrap(text string) (head, frames string) {
	head, rest, ok := strings.Cut(text, "\nwasm stack trace:\n")
	if !ok {
		return head, ""
	}
	rest, _, _ = strings.Cut(rest, "\n\n") // Go's own stack follows
	var b strings.Builder
	for line := range strings.Lines(rest) {
		// A frame is ".name(i32,i32) i32": the module's name is empty.
		line = strings.TrimPrefix(strings.TrimSpace(line), ".")
		if line == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		if len(line) > maxFrame {
			line = strings.ToValidUTF8(line[:maxFrame], "") + "…"
		}
		b.WriteString(line)
	}
	return head, b.String()
}
