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
	// A run that has ended is being cleared away by those who ended it.
	err := p.await(ctx, func() bool { return p.run == nil || p.status == started })
	if err != nil {
		return err
	}
	p.mu.Lock()
	if p.status == started { // and nobody else starts meanwhile: see enter
		p.mu.Unlock()
		return nil
	}
	r, gen := p.begin(), p.gen
	p.mu.Unlock()
	if err := p.compilePreloads(ctx, r, gen); err != nil {
		stopped := r.ctx.Err() != nil
		p.abort(ctx, r)
		if stopped {
			return ErrStopped
		}
		return err
	}
	var fl flushes
	p.mu.Lock()
	if p.status == starting { // else it is stopped already
		p.step(sched.Start(), &fl)
	}
	p.mu.Unlock()
	fl.flush()

	err = p.await(ctx, func() bool { return p.status == started || p.status == stopped })
	if err != nil {
		p.abort(ctx, r)
		return err
	}
	p.mu.Lock()
	failed, status := p.failed, p.status
	p.mu.Unlock()
	if status == stopped {
		if err := r.end(ctx); err != nil {
			return err
		}
		if failed == nil {
			return ErrStopped
		}
		return failed.notReady()
	}
	if tell := p.options.Events.Start; tell != nil {
		r.events.add(tell, mustTell)
	}
	r.events.drained(ctx)
	return nil
}

// compilePreloads leaves in the cache what no worker will be started for.
func (p *Pool) compilePreloads(ctx context.Context, r *run, gen *generation) error {
	names := p.options.Preload[min(p.options.Min, len(p.options.Preload)):]
	if len(names) == 0 {
		return nil
	}
	done := make(chan error, 1)
	r.background.Go(func() {
		for _, name := range names {
			m, err := p.lookup(name)
			if err == nil {
				_, err = p.assignment(r.ctx, gen, m)
			}
			if err != nil {
				done <- notReady(name, err)
				return
			}
		}
		done <- nil
	})
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
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

// Stop stops the pool: new calls are refused with [ErrStopped], those under way
// and waiting end, and then the workers, each of which is told and has
// StopTimeout to end. When ctx ends before, they are killed, and its error is
// returned. When Stop returns, no process is left, and the functions of Events
// have been told of it, unless they took longer than ctx, and a second more.
//
// Stopping a pool that has stopped does nothing.
func (p *Pool) Stop(ctx context.Context) error {
	p.mu.Lock()
	r := p.run
	if r == nil {
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
	if err := p.await(ctx, func() bool { return p.run != r || p.status == stopped }); err != nil {
		p.abort(ctx, r)
		return err
	}
	return r.end(ctx)
}

// abort kills all workers of a run, and waits until they are gone.
func (p *Pool) abort(ctx context.Context, r *run) {
	var fl flushes
	p.mu.Lock()
	if p.run == r && p.status != stopped {
		p.status = stopping
		p.step(sched.Abort(), &fl)
	}
	p.mu.Unlock()
	fl.flush()
	r.cancel()
	_ = p.await(context.Background(), func() bool { return p.run != r || p.status == stopped })
	_ = r.end(ctx) // ctx has ended in most cases: it is its error that is returned
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
