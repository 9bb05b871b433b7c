package sched

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkDecision is what the scheduler costs a call, in steady state: an
// operation is the reply to the call that was submitted longest ago and the
// submission of another, which is two decisions, and a third for each call that
// moves from one worker to another on the way. The goal is 1 µs a decision,
// however many workers there are.
func BenchmarkDecision(b *testing.B) {
	for strategy, name := range []string{Fewest: "fewest", Fill: "fill", RoundRobin: "round-robin", Random: "random"} {
		for _, workers := range []int{1, 10, 100, 1_000, 10_000} {
			for _, load := range []struct {
				name  string
				calls int
			}{{"one-call", 1}, {"half-busy", (workers + 1) / 2}, {"calls-wait", 2 * workers}} {
				b.Run(fmt.Sprintf("%s/workers=%d/%s", name, workers, load.name), func(b *testing.B) {
					decide(b, Strategy(strategy), workers, load.calls)
				})
			}
		}
	}
}

// decide keeps some calls under way with some workers, which give back what they
// are asked for.
func decide(b *testing.B, strategy Strategy, workers, calls int) {
	m := &Module{Name: "m", Concurrency: 1}
	s := New(Config{
		Min: workers, Max: workers, Strategy: strategy, Full: 10, Preload: []*Module{m},
		IdleTimeout: time.Second, QueueLimit: 2 * calls, QueueBytes: 1 << 30,
	})
	s.AddModule(m)
	var now time.Duration
	decisions := 0
	var coming, asked []Action
	step := func(e Event) {
		decisions++
		for _, a := range s.Step(now, e) {
			switch a.Kind {
			case StartWorker:
				coming = append(coming, a)
			case RecallCall:
				asked = append(asked, a)
			default: // nobody is there to do it
			}
		}
	}
	step(Start())
	for _, a := range coming {
		step(Ready(a.Worker))
	}
	under := make([]Call, calls)
	submit := func(c *Call) {
		now += time.Microsecond
		*c = Call{ID: c.ID + uint64(calls), Module: m, Bytes: 32}
		step(Submit(c))
		for ; len(asked) > 0; asked = asked[1:] {
			step(Withdrawn(asked[0].Worker, asked[0].Seq))
		}
		asked = nil
	}
	for i := range under {
		under[i].ID = uint64(i)
		submit(&under[i])
	}
	b.ReportAllocs()
	decisions = 0
	next := 0
	for b.Loop() {
		c := &under[next]
		if next++; next == calls {
			next = 0
		}
		step(Reply(c.worker, c.Seq))
		submit(c)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(decisions), "ns/decision")
	if waiting, running := s.Calls(); waiting+running != calls {
		b.Errorf("%d calls wait and %d run, want %d together", waiting, running, calls)
	}
}
