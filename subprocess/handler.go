package subprocess

import (
	"context"
	"encoding/json"
	"os"

	"github.com/wasmpool/wasmpool/abi"
)

// Handler is what a child does. A child has one, and serves at most one module
// with it.
type Handler interface {
	// Load prepares the module. It is called once, before any Call. The answer
	// is what the parent's [Process.Load] returns. An error that is a *[Refusal]
	// reaches the parent as one.
	Load(ctx context.Context, module *Module, out Outlet) (json.RawMessage, error)

	// Call runs a function in the instance of a slot, 0 ≤ slot < Module.Slots.
	// Each slot has a goroutine of its own, so calls of one slot never overlap.
	// It fills result, whose payload is read before the slot's next Call.
	Call(slot int, call *Invocation, result *Result)

	// Signal tells the module, after its last call, that it is asked to stop.
	Signal(number int)

	// Rest is called while no call runs, now and then, so that garbage can be
	// collected: a running guest cannot be preempted and would block a
	// collection, and with it the whole child.
	Rest()
}

// Module is what a child is told to load.
type Module struct {
	Settings json.RawMessage // for the handler; opaque here
	Source   []byte          // the module's bytes
	Slots    int             // how many calls may run at once, at least 1

	// File goes with the module; nil means none. The two ends share its offset.
	// The handler's is closed when Load returns.
	File *os.File

	// Memory bounds the addresses that the process may use from now on, beyond
	// those it has, in bytes. Zero means no bound. It is a layer of the sandbox.
	Memory int64

	// Resident bounds the memory that the process holds, all of it, in bytes, where
	// it has a control group. Zero means no bound.
	Resident int64

	// Seals says that the handler seals the process in Load. The parent then
	// checks that it did.
	Seals bool
}

// Outlet is how a module reaches the parent outside of its replies. Its
// methods are safe for concurrent use.
type Outlet interface {
	// Log sends one record; text that is too long is cut. It never blocks for
	// long: what the parent does not take is dropped, and counted.
	Log(source LogSource, level int32, text []byte)

	// Seal gives up, for ever, what only loading needs: making machine code, and
	// reading files that were not granted for good. A handler that was told to,
	// by Module.Seals, calls it when the module is compiled and before any of it
	// runs.
	Seal() error
}

// LogSource says where a log record comes from.
type LogSource uint8

// Where log records come from.
const (
	LogGuest  LogSource = 0 // the guest's log import
	LogStdout LogSource = 1 // a line of the guest's standard output
	LogStderr LogSource = 2 // a line of the guest's standard error
	LogChild  LogSource = 3 // the child itself
)

// Invocation is a call, as the child sees it. It is valid during Call only.
type Invocation struct {
	ID         uint64 // the caller's number for it, in every attempt
	Attempt    int    // 1 for the first
	DeadlineMS int64  // time left when it was sent; negative: none
	Function   string
	Meta       []byte // a JSON object that the caller attached, or nil
	Arguments  []byte

	slot *slot // that runs it
}

// Host calls a function of the parent's [Sink] and returns its reply. The
// payload of the reply is valid until the next Host of the same slot. Once the
// call is cancelled it returns abi.HostCancelled at once. It is called by the
// goroutine that runs the call; payloads above the parent's limit end the
// process. An invocation that belongs to no slot has no functions.
func (v *Invocation) Host(name string, payload []byte) HostReply {
	if v.slot == nil {
		return HostReply{Status: abi.HostNotFound}
	}
	return v.slot.host(name, payload)
}

// Cancelled reports whether the caller has given up. It is safe for concurrent
// use.
func (v *Invocation) Cancelled() bool { return v.slot != nil && v.slot.cancelled.Load() }

// Result is how a call ended.
type Result struct {
	Code    abi.Code
	Payload []byte
}

// Refusal says why a child cannot serve a module, by the module's own fault.
type Refusal struct {
	Fault   abi.Fault `json:"fault"`
	Message string    `json:"message"`
}

func (e *Refusal) Error() string { return string(e.Fault) + ": " + e.Message }
