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

	// memoryJitter is the part by which MaxMemoryBytes varies from worker to
	// worker, so that workers which grow alike are not replaced together.
	memoryJitter = 0.15
)

// watchMemory has workers replaced that hold too much memory. It never kills:
// a worker serves on until its successor is ready.
func (p *Pool) watchMemory(ctx context.Context) {
	ticker := time.NewTicker(memoryInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		for _, w := range p.serving() {
			p.weigh(w)
		}
	}
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

// weigh reads the memory of one worker.
func (p *Pool) weigh(w *worker) {
	n := w.process.MemoryBytes()
	var fl flushes
	p.mu.Lock()
	w.memory = n
	if w.maxMemory == 0 {
		w.maxMemory = p.options.MaxMemoryBytes - int64(float64(p.options.MaxMemoryBytes)*memoryJitter*rand.Float64())
	}
	if n > w.maxMemory {
		p.step(sched.Overgrown(w.sched), &fl)
	}
	p.mu.Unlock()
	fl.flush()
}
