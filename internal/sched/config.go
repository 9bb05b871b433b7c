package sched

import "time"

// Strategy is the rule by which a call finds its worker.
type Strategy uint8

// The strategies.
const (
	Fewest     Strategy = iota // the worker with the fewest calls
	Fill                       // the first in order with fewer than Full, else the least full
	RoundRobin                 // in turn
	Random                     // uniformly
)

// Config is set once, before the first step, but for Min and Max, which
// [Resize] changes. The caller has validated it: durations are as they should
// be used, a zero duration meaning at once, and never where it says so.
type Config struct {
	Min, Max int
	Spare    int // blank processes beside those
	Strategy Strategy
	Full     int
	Seed     uint64 // for Random

	IdleTimeout time.Duration // never if zero
	CancelGrace time.Duration
	MaxCalls    int           // calls a worker serves; no bound if zero
	MaxAge      time.Duration // never if zero

	QueueLimit int   // calls waiting
	QueueBytes int64 // bytes of their arguments

	Preload []*Module // dealt to the first Min workers in turn
}

const (
	// pipeline is how many calls beyond those that can run are sent to a worker
	// ahead of time. A guess: half of 64 callers, so that two workers never wait.
	pipeline = 31

	// pipelineBytes bounds what is sent ahead in bytes, so that large calls stay
	// movable and a child's memory small. It is less than a ring holds in one direction
	// (256 KiB): with 1 MiB, 64 callers of 64 KiB slept for room and were slower by a
	// third; with 128 KiB, by a tenth.
	pipelineBytes = 192 << 10

	// stuck is how long a worker runs a call before what was sent to it ahead is
	// asked back for an idle one. Short calls end before the question arrives:
	// asking at once made them take a quarter longer with 64 callers.
	stuck = time.Millisecond

	// jitter is the part by which MaxCalls and MaxAge vary from worker to worker,
	// so that workers started together do not retire together.
	jitter = 0.15

	// turn is how long a worker serves, at least, before it has to make room for
	// a module that has none while its own has work. A guess: ten small starts.
	turn = 100 * time.Millisecond

	// linger is how long an idle worker keeps its place from a module that has
	// workers itself. Without it two modules whose calls alternate took each
	// other's workers for ever: 900 starts for 2,000 calls of each at Max 4.
	linger = turn

	backoffFirst = 10 * time.Millisecond // the first pause of a module that does not start
	backoffMost  = 5 * time.Second       // the longest
)

// backoff is the pause after a number of failures in a row, at least one.
func backoff(failures int) time.Duration {
	d := backoffFirst
	for ; failures > 1 && d < backoffMost; failures-- {
		d *= 2
	}
	return min(d, backoffMost)
}
