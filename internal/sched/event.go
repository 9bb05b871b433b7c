package sched

// EventKind says what happened.
type EventKind uint8

// What can happen.
const (
	evStart EventKind = iota
	evStop
	evAbort
	evRecycle
	evRecycleAbort
	evResize
	evSubmit
	evCancel
	evReply
	evWithdrawn
	evReady
	evExited
	evOvergrown
	evTick
)

var eventNames = [...]string{
	"Start", "Stop", "Abort", "Recycle", "RecycleAbort", "Resize", "Submit", "Cancel",
	"Reply", "Withdrawn", "Ready", "Exited", "Overgrown", "Tick",
}

func (k EventKind) String() string { return eventNames[k] }

// Event is one thing that happened. Make it with the functions below.
type Event struct {
	kind     EventKind
	call     *Call
	worker   *Worker
	seq      uint64
	min, max int
}

// Start starts a stopped pool: [PoolStarted] or [PoolStartFailed] follows.
func Start() Event { return Event{kind: evStart} }

// Stop refuses new calls, lets all others end, and then stops all workers:
// [PoolStopped] follows.
func Stop() Event { return Event{kind: evStop} }

// Abort kills all workers: [PoolStopped] follows.
func Abort() Event { return Event{kind: evAbort} }

// Recycle starts a new generation of workers and switches to it when it is
// ready: [PoolRecycled] or [PoolRecycleFailed] follows.
func Recycle() Event { return Event{kind: evRecycle} }

// RecycleAbort gives up a recycle that is under way; [PoolRecycleFailed] follows
// unless it has ended.
func RecycleAbort() Event { return Event{kind: evRecycleAbort} }

// Resize changes the bounds of the number of workers.
func Resize(least, most int) Event { return Event{kind: evResize, min: least, max: most} }

// Submit brings a new call.
func Submit(c *Call) Event { return Event{kind: evSubmit, call: c} }

// Cancel says that a caller has given up.
func Cancel(c *Call) Event { return Event{kind: evCancel, call: c} }

// Reply says that a worker answered the call that was sent with a number.
func Reply(w *Worker, seq uint64) Event { return Event{kind: evReply, worker: w, seq: seq} }

// Withdrawn says that a worker gave a call back that it had not started.
func Withdrawn(w *Worker, seq uint64) Event { return Event{kind: evWithdrawn, worker: w, seq: seq} }

// Ready says that a worker did what it was last told: it is up, or its module
// is loaded.
func Ready(w *Worker) Event { return Event{kind: evReady, worker: w} }

// Exited says that a worker is gone, or never came to be. Calls sent to it with
// numbers up to started may have run.
func Exited(w *Worker, started uint64) Event { return Event{kind: evExited, worker: w, seq: started} }

// Overgrown says that a worker holds more memory than it should.
func Overgrown(w *Worker) Event { return Event{kind: evOvergrown, worker: w} }

// Tick says nothing but the time: what [State.Next] waited for is due.
func Tick() Event { return Event{kind: evTick} }
