package pool

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/wasmpool/wasmpool/internal/sched"
)

const (
	// memoryInterval is how often the workers' memory is read. Reading it costs
	// 1.5 µs a worker.
	memoryInterval = time.Second

	// processorInterval is how often their processor time is, where that is
	// bounded: a call exceeds its bound by two of these at most. A guess.
	processorInterval = 50 * time.Millisecond

	// memoryJitter is the part by which MaxMemoryBytes varies from worker to
	// worker, so that workers which grow alike are not replaced together.
	memoryJitter = 0.15
)

// watch looks after what workers use, as often as what is bounded asks for.
func (p *Pool) watch(ctx context.Context, interval time.Duration) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	rounds := int(memoryInterval / interval) // from one look at the memory to the next
	for round := 1; ; round++ {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		weigh := round%rounds == 0
		for _, w := range p.serving() {
			if weigh {
				p.weigh(w)
			}
			if limit := w.module.settings.Limits.ProcessorTime; limit > 0 {
				p.clock(w, limit)
			}
		}
	}
}

// watchInterval is how often workers are looked after; zero means not at all.
func (o *Options) watchInterval() time.Duration {
	memory, processor := o.MaxMemoryBytes > 0, false
	look := func(l Limits) {
		memory, processor = memory || l.ResidentBytes > 0, processor || l.ProcessorTime > 0
	}
	look(o.Limits)
	for _, m := range o.Modules {
		look(m.Limits)
	}
	switch {
	case processor:
		return processorInterval
	case memory:
		return memoryInterval
	}
	return 0
}

// serving returns the workers that have a module, and a process.
func (p *Pool) serving() []*worker {
	p.mu.Lock()
	defer p.mu.Unlock()
	var ws []*worker
	for w := range p.workers {
		if w.ready && w.module != nil {
			ws = append(ws, w)
		}
	}
	return ws
}

// weigh reads the memory of one worker: above MaxMemoryBytes it is replaced, and
// serves on until its successor is ready; above its limit it is killed.
func (p *Pool) weigh(w *worker) {
	n := w.process.MemoryBytes()
	var fl flushes
	p.mu.Lock()
	w.memory = n
	if w.maxMemory == 0 {
		w.maxMemory = p.options.MaxMemoryBytes - int64(float64(p.options.MaxMemoryBytes)*memoryJitter*rand.Float64())
	}
	if limit := w.module.settings.Limits.ResidentBytes; limit > 0 && n > limit {
		w.kill(w.module.settings.Limits.residentMemory(w.module.name))
	} else if w.maxMemory > 0 && n > w.maxMemory {
		p.step(sched.Overgrown(w.sched), &fl)
	}
	p.mu.Unlock()
	fl.flush()
}

// clocked is a worker whose processor time is known.
type clocked interface{ ProcessorTime() time.Duration }

// clock kills a worker whose call has used more processor time than it may. A
// call is taken to run since the first look that found the worker with no further
// call answered.
func (p *Pool) clock(w *worker, limit time.Duration) {
	c, ok := w.process.(clocked)
	if !ok {
		return
	}
	used := c.ProcessorTime()
	p.mu.Lock()
	defer p.mu.Unlock()
	if served := w.sched.Served(); w.sched.Running() == 0 || served != w.servedBefore {
		w.servedBefore, w.usedBefore = served, used
		return
	}
	if used-w.usedBefore > limit {
		w.kill(&LimitError{Module: w.module.name, Limit: "processor time", Value: int64(limit), Unit: "ns"})
	}
}
