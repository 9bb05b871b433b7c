package pool

import (
	"context"

	"github.com/wasmpool/wasmpool/internal/sched"
)

// Recycle replaces all workers by new ones, with the settings as they are now
// and modules freshly read. The new ones are started first, at least as many as
// serve now; when they are ready, waiting and new calls go to them, and the old
// ones end what they run. No call fails for it. It returns when the new ones
// serve. On a stopped pool it is Start.
//
// When a new worker does not become ready, or ctx ends, the old ones serve on.
// Errors are *[NotReadyError], *[ModuleError], [ErrStopped] and those of the
// context.
func (p *Pool) Recycle(ctx context.Context) error {
	if err := p.enter(ctx); err != nil {
		return err
	}
	defer p.leave()
	var fl flushes
	p.mu.Lock()
	switch p.status {
	case stopped:
		p.mu.Unlock()
		return p.start(ctx)
	case stopping:
		p.mu.Unlock()
		return ErrStopped
	case starting, started:
	}
	p.nextGen, p.recycled = p.settings.newGeneration(p.run), recycling
	p.step(sched.Recycle(), &fl)
	events := p.run.events
	p.mu.Unlock()
	fl.flush()

	over := func() bool { return p.recycled != recycling }
	err := p.await(ctx, over)
	if err != nil {
		p.mu.Lock()
		p.step(sched.RecycleAbort(), &fl)
		p.mu.Unlock()
		_ = p.await(context.Background(), over)
	}
	p.mu.Lock()
	done, failed := p.recycled == recycleDone, p.failed
	p.mu.Unlock()
	switch {
	case done:
		if tell := p.options.Events.Recycle; tell != nil {
			events.add(tell, mustTell)
		}
		events.drained(ctx)
		return nil
	case err != nil:
		return err
	case failed == nil:
		return ErrStopped
	}
	return failed.notReady()
}
