package sched

import "time"

// Phase is where a worker is in its life.
//
//	Starting ──Ready──▶ Blank ──(a module needs it)──▶ Loading ──Ready──▶ Serving
//	    │  └──────────────────(started for a module)───────────Ready────────▲  │
//	    │                                                                      │
//	    │        (last answer) ◀── Draining ◀──(recycled, replaced, evicted)───┤
//	    │              ▼                                                       │
//	    │           Leaving ◀──────(idle for too long, pool stops)─────────────┘
//	    ▼              ▼
//	  Gone ◀──Exited── any
type Phase uint8

// The phases of a worker.
const (
	Starting Phase = iota
	Blank
	Loading
	Serving
	Draining
	Leaving
	Gone
)

var phaseNames = [...]string{"starting", "blank", "loading", "serving", "draining", "leaving", "gone"}

func (p Phase) String() string { return phaseNames[p] }

// Worker is one process, as the state sees it. Its fields are the state's; ID,
// Module and Owner may be read, and Owner written, by the one who acts.
type Worker struct {
	ID     int // 1, 2, 3 … in the order of starting
	Module *Module
	Owner  any

	phase    Phase
	spare    bool    // counted neither in Min nor in Max
	next     bool    // of the generation that is being started
	outgoing bool    // being replaced; its successor counts in its stead
	replaces *Worker // whose place this one takes when it is ready
	room     *Module // which this one was ended to make room for, and which has it as its claim
	adopted  bool    // for a module, while it came up blank

	queue callList // calls waiting with it

	// Calls with the process, by number: sent[seq&mask] for first ≤ seq ≤ last.
	// Those below run are running or answered.
	sent        []*Call
	first, last uint64
	run         uint64
	sentCount   int
	running     int
	sentBytes   int64
	leaving     int // calls of sent with CancelCall issued that can still come back
	condemned   int // running calls whose callers gave up: it may be about to be killed

	counted  int // its part of Module.load
	nested   int // its part of Module.nested
	served   int // calls answered
	maxCalls int // zero: no bound
	turn     uint64
	readyAt  time.Duration
	age      timer
	maxAge   time.Duration

	idleSince  time.Duration
	idlePrev   *Worker
	idleNext   *Worker
	idle       bool
	killed     bool
	killedFor  *Call
	openIndex  int // in Module.open, or -1
	pickIndex  int // in Module.pick, or -1
	moverIndex int // in Module.movers, or -1
}

// load is how many calls a worker has, in whatever state.
func (w *Worker) load() int { return w.queue.n + w.sentCount }

// Load is how many calls a worker has, waiting or sent.
func (w *Worker) Load() int { return w.load() }

// Running is how many of them run.
func (w *Worker) Running() int { return w.running }

// Served is how many calls a worker has answered.
func (w *Worker) Served() int { return w.served }

// Phase is where the worker is in its life.
func (w *Worker) Phase() Phase { return w.phase }

// open says whether the worker would be busy with one more call, but not full.
func (w *Worker) open() bool { return w.load() < w.Module.limit }

// free says whether one more call would not have to wait for another to end.
func (w *Worker) free() bool { return w.condemned == 0 && w.load() < w.Module.Concurrency }

// Tiers of workers, in the order of preference for a call.
const (
	tierIdle     = iota // serving and open
	tierStarting        // not yet serving, and open
	tierBusy            // neither
	tierNever           // about to be killed
)

func (w *Worker) tier() int {
	switch {
	case w.condemned > 0:
		return tierNever
	case !w.open():
		return tierBusy
	case w.phase == Serving:
		return tierIdle
	default:
		return tierStarting
	}
}

// surplus is how many calls could be better off with an idle worker.
func (w *Worker) surplus() int {
	if w.phase != Serving {
		return w.queue.n - w.queue.nested // those do not move to any open worker
	}
	return w.load() - max(w.Module.limit, w.running) - w.leaving
}

// put adds a call to those with the process.
func (w *Worker) put(c *Call) {
	w.last++
	if n := uint64(len(w.sent)); w.last-w.first >= n {
		larger := make([]*Call, max(2*n, 8))
		for seq := w.first; seq < w.last; seq++ {
			larger[seq&uint64(len(larger)-1)] = w.sent[seq&(n-1)]
		}
		w.sent = larger
	}
	w.sent[w.last&uint64(len(w.sent)-1)] = c
	w.sentCount++
	w.sentBytes += c.Bytes
	c.Seq = w.last
}

// at returns the call that was sent with a number and is not answered, or nil.
func (w *Worker) at(seq uint64) *Call {
	if seq < w.first || seq > w.last {
		return nil
	}
	return w.sent[seq&uint64(len(w.sent)-1)]
}

// take removes a call from those with the process.
func (w *Worker) take(seq uint64) *Call {
	c := w.at(seq)
	if c == nil {
		return nil
	}
	w.sent[seq&uint64(len(w.sent)-1)] = nil
	w.sentCount--
	w.sentBytes -= c.Bytes
	for w.first <= w.last && w.at(w.first) == nil {
		w.first++
	}
	w.run = max(w.run, w.first)
	return c
}

// Sent returns the call that was sent with a number and is not answered, or nil.
func (w *Worker) Sent(seq uint64) *Call { return w.at(seq) }

// Next says whether the worker is of the generation that is being started.
func (w *Worker) Next() bool { return w.next }
