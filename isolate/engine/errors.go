package engine

import (
	"strconv"

	"github.com/wasmpool/wasmpool/abi"
)

// InvalidError says that a module cannot be a worker, by its own fault.
type InvalidError struct {
	Fault   abi.Fault
	Message string
}

func (e *InvalidError) Error() string { return string(e.Fault) + ": " + e.Message }

// TrapError is a WebAssembly trap.
type TrapError struct {
	Message string // "unreachable", "out of bounds memory access" …
	Stack   string // one frame a line, innermost first; may be empty
}

func (e *TrapError) Error() string { return "trap: " + e.Message }

// ExitError is a call of proc_exit.
type ExitError struct{ Code uint32 }

func (e *ExitError) Error() string {
	return "exited with code " + strconv.FormatUint(uint64(e.Code), 10)
}

// LimitError says that a guest exceeded a limit.
type LimitError struct {
	Name  string // "output", "error", "host payload" …
	Value int64  // the limit
	Unit  string // "bytes" …
}

func (e *LimitError) Error() string {
	return e.Name + " exceeds its limit of " + strconv.FormatInt(e.Value, 10) + " " + e.Unit
}
