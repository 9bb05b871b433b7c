package pool

import (
	"context"
	"time"

	"github.com/wasmpool/wasmpool/internal/sched"
)

// keep plays a tick when the scheduler waits for one.
func (p *Pool) keep(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.kick:
		case <-timer.C:
		}
		var fl flushes
		p.mu.Lock()
		if now := p.now(); p.wakeAt >= 0 && now >= p.wakeAt {
			p.wakeAt = -1
			p.stepAt(now, sched.Tick(), &fl)
		}
		if p.wakeAt >= 0 {
			timer.Reset(p.wakeAt - p.now())
		}
		p.mu.Unlock()
		fl.flush()
	}
}
