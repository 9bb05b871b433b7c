package sched

// ActionKind says what is to be done.
type ActionKind uint8

// What can be called for.
const (
	// StartWorker: start a process, and load Worker.Module unless it is nil.
	// Ready or Exited follows.
	StartWorker ActionKind = iota
	// LoadModule: a blank worker is to load Worker.Module. Ready or Exited follows.
	LoadModule
	// StopWorker: ask it to end, with patience. Exited follows.
	StopWorker
	// KillWorker: end it now, because of Call when that is not nil. Exited follows.
	KillWorker

	// SendCall: send Call to Worker with the number Call.Seq.
	SendCall
	// RecallCall: ask Worker for the call sent with Seq. It answers with Withdrawn
	// if it has not started, and else with Reply when that has ended.
	RecallCall
	// CancelCall: tell Worker that nobody waits for the call sent with Seq. It
	// answers likewise, and the call is told to end if it has started.
	CancelCall
	// SettleCall: Call has ended, as Outcome says.
	SettleCall

	PoolStarted       // the pool has its Min workers
	PoolStartFailed   // Worker did not start; all others are being killed, PoolStopped follows
	PoolStopped       // the last worker is gone
	PoolRecycled      // the new generation serves
	PoolRecycleFailed // Worker of it did not start (nil: given up); the old one serves on
)

var actionNames = [...]string{
	"Start", "Load", "Stop", "Kill", "Send", "Recall", "Cancel", "Settle",
	"Started", "StartFailed", "Stopped", "Recycled", "RecycleFailed",
}

func (k ActionKind) String() string { return actionNames[k] }

// Action is one thing to be done. Which fields are set depends on the kind.
type Action struct {
	Kind    ActionKind
	Worker  *Worker
	Call    *Call
	Seq     uint64
	Outcome Outcome
}

// Outcome is how a call ended.
type Outcome uint8

// How a call can end.
const (
	Answered    Outcome = iota // with the reply that was just reported
	Lost                       // its worker ended; it may have run
	LostNearby                 // its worker was killed for another call's sake; it may have run
	NotStarted                 // Worker, the last hope of its module, did not start
	Cancelled                  // the caller gave up
	TimedOut                   // it ran for longer than its timeout
	WaitedOut                  // it waited for longer than its queue timeout; it did not run
	QueueFull                  // too much was waiting already
	Nested                     // it would have had to wait, and was not allowed to
	PoolNotOpen                // the pool does not take calls, or stopped before the call started
)

var outcomeNames = [...]string{
	"Answered", "Lost", "LostNearby", "NotStarted", "Cancelled", "TimedOut", "WaitedOut", "QueueFull", "Nested", "PoolNotOpen",
}

func (o Outcome) String() string { return outcomeNames[o] }
