package pool

import (
	"context"

	"github.com/wasmpool/wasmpool/internal/sched"
)

// Start starts a stopped pool, and returns when Min workers are ready. On a pool
// that has started it does nothing; one that is stopping is started when it has
// stopped. On an error, and when ctx ends before, nothing is left running.
//
// Errors are *[NotReadyError], *[ModuleError] and those of the context.
func (p *Pool) Start(ctx context.Context) error {
	if err := p.enter(ctx); err != nil {
		return err
	}
	defer p.leave()
	return p.start(ctx)
}

func (p *Pool) start(ctx context.Context) error {
	for {
		err := p.await(ctx, func() bool { return p.status != stopping })
		if err != nil {
			return err
		}
		p.mu.Lock()
		if p.status == started {
			p.mu.Unlock()
			return nil
		}
		if p.status == stopped && p.events == nil {
			break // with the lock
		}
		// The last run is being cleared away by the one who stopped it.
		changed := p.changed
		p.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	p.begin()
	var fl flushes
	p.step(sched.Start(), &fl)
	p.mu.Unlock()
	fl.flush()

	err := p.await(ctx, func() bool { return p.status == started || p.status == stopped })
	if err != nil {
		p.abort()
		return err
	}
	p.mu.Lock()
	failed, status, events := p.failed, p.status, p.events
	p.mu.Unlock()
	if status == stopped {
		p.endRun()
		if failed == nil {
			return ErrStopped
		}
		return failed.notReady()
	}
	if err := p.compilePreloads(ctx); err != nil {
		p.abort()
		return err
	}
	if events != nil {
		if tell := p.options.Events.Start; tell != nil {
			events.add(tell, mustTell)
		}
		events.drained(ctx)
	}
	return nil
}

// compilePreloads leaves in the cache what no worker was started for.
func (p *Pool) compilePreloads(ctx context.Context) error {
	p.mu.Lock()
	gen := p.gen
	p.mu.Unlock()
	for _, name := range p.options.Preload[min(p.options.Min, len(p.options.Preload)):] {
		m, err := p.lookup(name)
		if err == nil {
			_, err = p.assignment(ctx, gen, m)
		}
		if err != nil {
			return notReady(name, err)
		}
	}
	return nil
}

// notReady is why a worker did not start.
func (w *worker) notReady() error {
	w.pool.mu.Lock()
	defer w.pool.mu.Unlock()
	if w.startErr == nil {
		return &NotReadyError{Module: w.moduleName(), Err: errRetired}
	}
	return w.startErr
}

// begin opens a run. The lock is held.
func (p *Pool) begin() {
	p.status, p.failed = starting, nil
	p.gen = p.settings.newGeneration()
	p.events = newEventQueue()
	p.stopKeeper = make(chan struct{})
	stop := p.stopKeeper
	p.goOn(func() { p.keep(stop) })
	if p.options.MaxMemoryBytes > 0 {
		p.goOn(func() { p.watchMemory(stop) })
	}
}

// endRun clears away what a run had, when its last worker is gone. Of several
// callers one does it, and the others wait.
func (p *Pool) endRun() {
	p.mu.Lock()
	events, stop := p.events, p.stopKeeper
	p.stopKeeper = nil
	p.mu.Unlock()
	if stop == nil {
		_ = p.await(context.Background(), func() bool { return p.events == nil })
		return
	}
	close(stop)
	p.background.Wait()
	if tell := p.options.Events.Stop; tell != nil {
		events.add(tell, mustTell)
	}
	events.close()
	p.mu.Lock()
	p.counters.eventsDropped += events.dropped
	p.events = nil
	p.announce()
	p.mu.Unlock()
}

// Stop stops the pool: new calls are refused with [ErrStopped], those under way
// and waiting end, and then the workers, each of which is told and has
// StopTimeout to end. When ctx ends before, they are killed, and its error is
// returned. When Stop returns, no process is left.
//
// Stopping a pool that has stopped does nothing.
func (p *Pool) Stop(ctx context.Context) error {
	p.mu.Lock()
	if p.status == stopped && p.events == nil {
		p.mu.Unlock()
		return nil
	}
	var fl flushes
	if p.status == starting || p.status == started {
		p.status = stopping
		p.step(sched.Stop(), &fl)
	}
	p.mu.Unlock()
	fl.flush()
	if err := p.await(ctx, func() bool { return p.status == stopped }); err != nil {
		p.abort()
		return err
	}
	p.endRun()
	return nil
}

// abort kills all workers, and waits until they are gone.
func (p *Pool) abort() {
	var fl flushes
	p.mu.Lock()
	if p.status != stopped {
		p.status = stopping
		p.step(sched.Abort(), &fl)
	}
	p.mu.Unlock()
	fl.flush()
	_ = p.await(context.Background(), func() bool { return p.status == stopped })
	p.endRun()
}

// Close stops the pool within StopTimeout in all: what has not ended by then is
// killed, and the error is [context.DeadlineExceeded].
func (p *Pool) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), max(p.options.StopTimeout, 0))
	defer cancel()
	return p.Stop(ctx)
}

// IsStarted reports whether the pool takes calls.
func (p *Pool) IsStarted() bool { return p.is(started) }

// IsStopping reports whether the pool is on its way to be stopped.
func (p *Pool) IsStopping() bool { return p.is(stopping) }

// IsStopped reports whether the pool has stopped, or was never started.
func (p *Pool) IsStopped() bool { return p.is(stopped) }

func (p *Pool) is(s status) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.status == s
}

// enter waits for other changes of the pool's life to end.
func (p *Pool) enter(ctx context.Context) error {
	select {
	case p.lifecycle <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *Pool) leave() { <-p.lifecycle }

// await waits until something holds that is told by changed. It is looked at
// with the lock.
func (p *Pool) await(ctx context.Context, holds func() bool) error {
	for {
		p.mu.Lock()
		held, changed := holds(), p.changed
		p.mu.Unlock()
		if held {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// announce wakes those who await. The lock is held.
func (p *Pool) announce() {
	close(p.changed)
	p.changed = make(chan struct{})
}
