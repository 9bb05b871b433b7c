// Package sched decides which call runs where and when processes live and die.
//
// It is a pure state machine: [State.Step] takes the time and one event and
// returns the actions that the event calls for. It never waits, and has no
// goroutine, lock, clock or I/O, so that every schedule can be told as a story
// of events and actions, and replayed.
//
// # The life of a call
//
//	           ┌──────── worker lost before it started, or withdrawn ────────┐
//	           ▼                                                             │
//	Submit ─▶ Waiting ──Send──▶ Sent ──(a slot of its worker is free)──▶ Running ──Replied──▶ settled
//	           │                  │                                          │
//	           └─ cancel, limit ──┴──────── the caller is told at once ──────┘
//
// A call waits with a worker (its queue) when one was chosen for it, else with
// its module. Up to a window of calls is sent to a worker before they can run,
// so that a process never idles for a round trip; a child starts them in the
// order they were sent. Of the calls sent and not answered the first
// Concurrency are the ones that run.
//
// Every submitted call is settled exactly once.
//
// # The life of a worker
//
// See [Phase].
package sched
