package pool

import (
	"context"
	"time"

	"github.com/wasmpool/wasmpool/abi"
	"github.com/wasmpool/wasmpool/subprocess"
)

// Launcher starts workers. Its method is called by several goroutines at once.
type Launcher interface {
	// Launch starts a worker, which has no module yet, and returns when it is up.
	// On an error nothing is left of it, and the sink's Exited is not called;
	// otherwise it is, once, when the worker has ended.
	Launch(ctx context.Context, l Launch, sink subprocess.Sink) (Worker, error)
}

// Launch is what a worker is started with.
type Launch struct {
	// Name is for people: the module's, or "blank".
	Name string

	// Dirs are what its module is granted, with absolute paths without symbolic
	// links: nothing more can be granted later. A blank worker has none, and never
	// comes to serve a module that has.
	Dirs []Dir

	// FileBytes bounds the size of a file that is written there.
	FileBytes int64
}

// Worker is one worker as the pool drives it: a child process, or what a test
// puts in its place. Its methods are called by several goroutines at once; Queue,
// Recall, Cancel, Stop and Kill, under the pool's lock: they must not block and
// not call back.
type Worker interface {
	// PID is the process's number, 0 where there is none.
	PID() int

	// Load has the worker load a module, once, and returns when it is ready for
	// calls. A *[subprocess.Refusal] says that the module is at fault.
	Load(ctx context.Context, a *Assignment) error

	// Queue takes a call, to be sent by the next Flush. It keeps nothing of it
	// but a reference to its body.
	Queue(c *subprocess.Call)

	// Recall asks for a call back: one that has not started is to be answered
	// with [Withdrawn], one that has is left as it is.
	Recall(seq uint64)

	// Cancel says that nobody waits for a call any more: likewise, and one that
	// has started is told.
	Cancel(seq uint64)

	// Flush sends what was queued. It must not wait for the worker.
	Flush()

	// Stop asks the worker to end, and kills it when its patience does.
	Stop(signal int, patience time.Duration)

	// Kill ends the worker now.
	Kill(reason error)

	// MemoryBytes is the resident memory, 0 where it is not known.
	MemoryBytes() int64
}

// attender is a worker whose callers can read their own replies.
type attender interface {
	// Attend reads for the caller of a call until that is answered, at best. It calls
	// sleeps, if there is one, before it sleeps, and perhaps more often.
	Attend(seq uint64, sleeps func())

	// Unattended sees that somebody reads when nobody attends to what was flushed.
	Unattended()
}

// Withdrawn is the code of a call that surely did not start.
const Withdrawn = abi.Withdrawn
