package pool

import (
	"context"
	"sync"
	"time"
)

// endGrace is how long a stop whose context has ended already waits for the
// functions of Events. A guess: they should be quick.
const endGrace = time.Second

// run is a pool from one start to the stop that follows: what ends with it. A
// pool that is started again has another.
type run struct {
	pool       *Pool
	events     *eventQueue
	ctx        context.Context // of work that workers share; ends with them
	cancel     context.CancelFunc
	background sync.WaitGroup // the goroutines that work for it

	ending sync.Once
	ended  chan struct{} // closed when nothing is left of it
}

// begin opens a run. The lock is held.
func (p *Pool) begin() *run {
	r := &run{pool: p, events: newEventQueue(), ended: make(chan struct{})}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	p.run, p.status, p.failed = r, starting, nil
	p.gen = p.settings.newGeneration(r)
	p.wakeAt = -1 // what the keeper of the run before waited for is past
	select {
	case <-p.kick:
	default:
	}
	r.background.Go(func() { p.keep(r.ctx) })
	if interval := p.options.watchInterval(); interval > 0 {
		r.background.Go(func() { p.watch(r.ctx, interval) })
	}
	return r
}

// end clears a run away whose last worker is gone, and tells of the stop. Of
// several callers one has it done, and all wait for it: until ctx ends, and for
// a moment at least.
func (r *run) end(ctx context.Context) error {
	r.ending.Do(func() { go r.clear() }) // ends when all have been told
	select {
	case <-r.ended:
		return nil
	case <-ctx.Done():
	}
	grace := time.NewTimer(endGrace)
	defer grace.Stop()
	select {
	case <-r.ended:
		return nil
	case <-grace.C:
		return ctx.Err()
	}
}

func (r *run) clear() {
	p := r.pool
	r.cancel()
	r.background.Wait()
	if tell := p.options.Events.Stop; tell != nil {
		r.events.add(tell, mustTell)
	}
	r.events.close()
	p.mu.Lock()
	p.counters.eventsDropped += r.events.lost()
	p.run = nil
	p.announce()
	p.mu.Unlock()
	close(r.ended)
}
