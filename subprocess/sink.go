package subprocess

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/wasmpool/wasmpool/abi"
)

// Sink takes what a process reports. Its methods are called by goroutines of
// the process, Replies and Exited never concurrently, and must not block.
type Sink interface {
	// Replies takes the replies that arrived together. The slice is valid during the
	// method only, and so are the payloads that are not the sink's own.
	Replies(replies []Reply)

	// Host runs a host function for a call and returns its reply; each call of
	// it has a goroutine of its own and may take its time. The context ends with
	// the call it belongs to, and with the process. One that was asked for just
	// before the end may begin after Exited, with a context that has ended.
	Host(ctx context.Context, request HostRequest) HostReply

	// Log takes one log record; the text is the sink's to keep.
	Log(record LogRecord)

	// Exited is the last: the process is gone and reaped, nothing follows but
	// what Host still does.
	Exited(exit Exit)
}

// Reply ends a call. The numbers are those that [Process.Queue] was given:
// replies to anything else are the child's fault, and end it.
type Reply struct {
	Seq     uint64
	Code    abi.Code
	Payload []byte
	Owned   bool // the payload is the sink's to keep
}

// HostRequest is a guest's call of a host function.
type HostRequest struct {
	Seq     uint64 // of the call that asks
	Name    string
	Payload []byte
}

// HostReply answers a [HostRequest].
type HostReply struct {
	Status  int8 // 0, or abi.HostFailed, abi.HostNotFound, abi.HostCancelled
	Payload []byte
}

// LogRecord is one line that a worker logged. Text is untrusted bytes.
type LogRecord struct {
	Source LogSource
	Level  int32
	Text   string
}

// Exit says how a process ended. Everything but Stderr is what the operating
// system or this side knows; a child cannot forge it.
type Exit struct {
	PID    int
	Code   int           // exit code; -1 when a signal ended it
	Signal os.Signal     // nil when it exited
	Stderr string        // the first 512 bytes and the last 8 KiB of its standard error: untrusted bytes
	Usage  time.Duration // processor time, user and system

	// Started is the number of the last call that the child began, from memory
	// that outlives it. Of the calls without a reply those up to it may have
	// run, and those after it surely did not. The child writes it: trust it for
	// calls to that child's own module only.
	Started uint64

	// Exceeded says that the kernel ended it for the memory that it held, which
	// was bounded by its control group.
	Exceeded bool

	// Reason is why this side ended the process; nil when it ended by itself.
	Reason error
}

func (e Exit) String() string {
	how := fmt.Sprintf("exit code %d", e.Code)
	if e.Signal != nil {
		how = "signal: " + e.Signal.String()
	}
	if e.Reason != nil {
		how += " (" + e.Reason.Error() + ")"
	}
	return how
}

// Call is a call, as the parent sends it.
type Call struct {
	Seq      uint64        // 1, 2, 3 … for each process, without a gap
	ID       uint64        // the same in every attempt
	Attempt  int           // 1 for the first
	TimeLeft time.Duration // until its deadline; negative: none
	Function string        // at most abi.MaxNameBytes
	Meta     []byte        // a JSON object, or nil
	Body     *Body         // its arguments; Queue takes a reference of its own
}
