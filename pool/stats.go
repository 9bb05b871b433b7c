package pool

import (
	"math"
	"math/bits"
	"slices"
	"time"

	"github.com/wasmpool/wasmpool/abi"
	"github.com/wasmpool/wasmpool/internal/sched"
)

// Stats is a pool at one moment. Counts are from New on, over stops and starts.
type Stats struct {
	Processes int // as [Pool.ProcessCount]
	Spare     int // blank processes in reserve
	Waiting   int // calls that do not run yet
	Running   int // calls that run

	Calls     uint64 // that have ended, in whatever way; the sum of the six below
	Returned  uint64
	Failed    uint64 // the guest failed, trapped, exited, or exceeded a limit
	Lost      uint64 // their worker ended: they may have run
	Cancelled uint64 // their caller gave up
	TimedOut  uint64 // they ran, or waited, for too long
	Refused   uint64 // they did not start: not open, queue full, nested, or no worker became ready

	Retried       uint64 // times that a call was run again
	WorkersLost   uint64 // workers that were ready and ended without being asked to
	EventsDropped uint64

	Wait Histogram // from the call to its beginning to run
	Run  Histogram // from there to its reply

	// Sandbox is what has become of each layer of the sandbox: it is on when every
	// worker so far has had it, proved by what that tried before it met a module,
	// and by what the kernel says of it. Nil before there was a worker, and where
	// workers are no processes.
	Sandbox []Layer

	Workers []WorkerStats // in the order of starting
}

// WorkerStats is a worker at one moment.
type WorkerStats struct {
	WorkerInfo
	State       string // "starting", "blank", "loading", "serving", "draining" or "leaving"
	Calls       int    // waiting with it, sent to it, or running
	Running     int
	Served      int
	MemoryBytes int64 // resident; 0 where it is not known
	Age         time.Duration
}

// Stats returns what the pool is doing. It costs a microsecond or two a worker.
func (p *Pool) Stats() Stats {
	p.mu.Lock()
	s := p.counters.Stats
	s.EventsDropped = p.counters.eventsDropped
	s.Sandbox = slices.Clone(p.sandbox)
	if p.run != nil {
		s.EventsDropped += p.run.events.lost()
	}
	s.Processes, s.Spare = p.sched.Processes()
	s.Waiting, s.Running = p.sched.Calls()
	var processes []Worker
	for w := range p.workers {
		s.Workers = append(s.Workers, WorkerStats{
			WorkerInfo: w.info(), State: w.sched.Phase().String(),
			Calls: w.sched.Load(), Running: w.sched.Running(), Served: w.sched.Served(),
			Age: time.Since(w.startedAt),
		})
		processes = append(processes, w.process)
	}
	p.mu.Unlock()
	for i, process := range processes {
		if process != nil {
			s.Workers[i].MemoryBytes = process.MemoryBytes()
		}
	}
	slices.SortFunc(s.Workers, func(a, b WorkerStats) int { return a.ID - b.ID })
	return s
}

// ProcessCount is how many worker processes there are, starting and stopping
// ones included, spare ones not.
func (p *Pool) ProcessCount() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n, _ := p.sched.Processes()
	return n
}

// counters is what a pool counts.
type counters struct {
	Stats
	eventsDropped uint64
}

// settled counts a call that has ended.
func (n *counters) settled(c *sched.Call, o sched.Outcome, code abi.Code, now time.Duration) {
	n.Calls++
	n.Retried += uint64(max(c.Attempt-1, 0))
	switch o {
	case sched.Answered:
		if code == abi.Returned {
			n.Returned++
		} else {
			n.Failed++
		}
		n.Run.add(now - c.RunSince)
	case sched.Lost, sched.LostNearby:
		n.Lost++
	case sched.Cancelled:
		n.Cancelled++
	case sched.TimedOut, sched.WaitedOut:
		n.TimedOut++
	case sched.NotStarted, sched.QueueFull, sched.Nested, sched.PoolNotOpen:
		n.Refused++
	}
	if c.RunSince >= 0 {
		n.Wait.add(c.RunSince - c.Submitted)
	}
}

// Histogram counts durations by powers of two: Buckets[i] holds those below
// 2^i ns that are not in a bucket before it.
type Histogram struct {
	Count   uint64
	Sum     time.Duration
	Max     time.Duration
	Buckets [48]uint64 // the last one also holds all above 39 hours
}

func (h *Histogram) add(d time.Duration) {
	d = max(d, 0)
	h.Count++
	h.Sum += d
	h.Max = max(h.Max, d)
	h.Buckets[min(bits.Len64(uint64(d)), len(h.Buckets)-1)]++
}

// Quantile returns a duration that a part q of those counted, 0 to 1, does not
// exceed: at most twice the true value, and at most the greatest. It is zero
// when nothing was counted.
func (h *Histogram) Quantile(q float64) time.Duration {
	want := uint64(math.Ceil(q * float64(h.Count)))
	var seen uint64
	for i, n := range h.Buckets {
		if seen += n; n > 0 && seen >= want {
			return min(time.Duration(1)<<i, h.Max)
		}
	}
	return 0
}

// Mean is the mean of the durations, zero when there are none.
func (h *Histogram) Mean() time.Duration {
	if h.Count == 0 {
		return 0
	}
	return h.Sum / time.Duration(h.Count)
}
