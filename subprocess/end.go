package subprocess

import (
	"fmt"
	"time"

	"github.com/wasmpool/wasmpool/internal/wire"
)

// sigkill is the number of the signal that nothing can ignore.
const sigkill = 9

// Stop asks the child to finish what was queued, to tell its module of the
// signal, and to exit; after patience it is killed. It returns at once. A
// second Stop changes nothing, but for signal 9, which kills at once.
func (p *Process) Stop(signal int, patience time.Duration) {
	if signal == sigkill {
		p.Kill(fmt.Errorf("subprocess: stopped with signal %d", signal))
		return
	}
	p.mu.Lock()
	first := !p.stopping && p.phase != gone
	if first {
		p.stopping = true
		p.patience = time.AfterFunc(patience, func() {
			p.Kill(fmt.Errorf("subprocess: child did not stop within %v", patience))
		})
	}
	p.mu.Unlock()
	if !first {
		return
	}
	b := p.out.open()
	b.buf = wire.Stop(signal).Append(b.buf)
	p.out.close()
	p.Flush()
}

// Kill ends the process now. The first reason given is the one that
// [Exit].Reason tells, if the process was still alive. It returns at once, and
// may be called again.
func (p *Process) Kill(reason error) {
	p.mu.Lock()
	alive := p.phase != gone
	if alive && p.reason == nil {
		p.reason = reason
	}
	p.mu.Unlock()
	if alive {
		p.body.kill()
	}
}

// bury waits for the end of the process, and for everything that it still had
// to say, and then tells the end.
func (p *Process) bury() {
	exit := p.body.wait()
	p.link.endRead()
	<-p.silenced
	if p.grace != nil {
		p.grace.Stop()
	}
	p.release()

	p.mu.Lock()
	p.phase = gone
	exit.Started = min(p.body.started(), p.last)
	exit.Reason = p.reason
	p.exit = exit
	tell := p.adopted
	if p.patience != nil {
		p.patience.Stop()
	}
	p.mu.Unlock()

	// Whoever still writes gets an error; then nothing refers to the link. An
	// error of closing it tells nothing: nobody is at the other end.
	_ = p.link.Close()
	p.out.end()
	p.link.release()
	close(p.ended)
	if tell {
		p.sink.Exited(exit)
	}
	close(p.done)
}
