package pool

import (
	"context"

	"github.com/wasmpool/wasmpool/abi"
	"github.com/wasmpool/wasmpool/internal/sched"
	"github.com/wasmpool/wasmpool/subprocess"
)

// What a process reports reaches the pool here, on goroutines of the process.

// Replies takes the replies that a process has sent.
func (w *worker) Replies(replies []subprocess.Reply) {
	p := w.pool
	w.results = w.results[:0]
	for _, r := range replies { // copied without the lock
		payload := r.Payload
		if !r.Owned {
			payload = append([]byte(nil), payload...)
		}
		w.results = append(w.results, payload)
	}
	var fl flushes
	now := p.now()
	p.mu.Lock()
	for i, r := range replies {
		if r.Code == abi.Withdrawn {
			p.stepAt(now, sched.Withdrawn(w.sched, r.Seq), &fl)
			continue
		}
		if c := w.sched.Sent(r.Seq); c != nil && !c.Abandoned() {
			c := c.Owner.(*record)
			c.code, c.payload = r.Code, w.results[i]
		}
		p.stepAt(now, sched.Reply(w.sched, r.Seq), &fl)
	}
	p.mu.Unlock()
	clear(w.results)
	fl.flush()
}

// Host runs a host function for a guest.
func (w *worker) Host(ctx context.Context, request subprocess.HostRequest) subprocess.HostReply {
	w.pool.mu.Lock()
	m := w.module
	w.pool.mu.Unlock()
	f := m.host[request.Name]
	if f == nil {
		return subprocess.HostReply{Status: abi.HostNotFound}
	}
	ctx = context.WithValue(ctx, nestedKey{}, w.pool)
	reply, err := w.pool.runHost(ctx, request, f)
	switch {
	case err == nil:
		return subprocess.HostReply{Payload: reply}
	case ctx.Err() != nil:
		return subprocess.HostReply{Status: abi.HostCancelled}
	}
	return subprocess.HostReply{Status: abi.HostFailed, Payload: hostError(err)}
}
