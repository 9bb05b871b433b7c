package subprocess

import (
	"errors"
	"fmt"
	"time"

	"github.com/wasmpool/wasmpool/abi"
	"github.com/wasmpool/wasmpool/internal/wire"
	"github.com/wasmpool/wasmpool/subprocess/sandbox"
)

// deafGrace is how long a child may outlive its connection before it is killed:
// a process that dies closes its connection before it can be reaped. A guess,
// far above what that takes.
const deafGrace = time.Second

// keepReplies bounds the replies of one batch whose room is kept. A guess.
const keepReplies = 4096

// receive is the life of the reader: the keeper of the turn.
func (p *Process) receive() {
	defer close(p.silenced)
	err := p.turn.keep(func() (yield bool, err error) {
		err = p.readOnce()
		return p.turn.isWanted() && p.calm(), err
	})
	var v *violation
	if errors.As(err, &v) {
		return // it is killed already
	}
	// The child is dead, or has left its connection: then it is of no use.
	p.grace = time.AfterFunc(deafGrace, func() {
		p.Kill(errors.New("subprocess: child closed its connection and lived on"))
	})
}

// Attend lends the calling goroutine to the process: it reads what the child
// sends until the reply of call seq has been given to the sink, on this very
// goroutine, so that no other has to be woken for it. It is worth calling after
// [Process.Flush], without locks, by a caller that would wait anyway, and does
// something only while the call is the only one under way. It may return early:
// [Process.Cancel] makes it, and a call that takes long does, after at most
// 0.1 s. It does not watch a context: a caller that has one cancels the call when
// it ends. It need not watch it before sleeps is called, if it is, and that may be
// more than once: until then it will be back within the time for which the link polls.
func (p *Process) Attend(seq uint64, sleeps func()) {
	if p.load.Load() != 1 {
		return
	}
	if !p.turn.try() {
		p.turn.want()
		return
	}
	p.link.attend(sleeps)
	p.attends, p.replied = seq, !p.waits(seq)
	for first := true; !p.replied; first = false {
		if !first && sleeps != nil {
			sleeps() // something else keeps it awake
		}
		if err := p.readOnce(); errors.Is(err, errInterrupted) {
			break // the keeper takes over
		} else if err != nil {
			p.link.leave()
			p.turn.fail(err)
			return
		}
	}
	p.link.leave()
	p.turn.leave(!p.calm())
}

func (p *Process) waits(seq uint64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.waiting.find(seq) != nil
}

// calm reports whether no call is under way.
func (p *Process) calm() bool { return p.load.Load() == 0 }

// expects reports whether it is worth polling for the child: while it has a call, and
// once after it has answered, since callers tend to call again. A child without calls
// that goes on talking wakes its parent each time, and does not keep it awake.
func (p *Process) expects() bool {
	expects := p.load.Load() > 0 || p.served != p.polled
	p.polled = p.served
	return expects
}

// Unattended sees that somebody reads, for calls that were flushed and that nobody
// attends to. It is called without locks.
func (p *Process) Unattended() { p.turn.call() }

// violation is something that no honest child does. It ends the child.
type violation struct{ err error }

func (v *violation) Error() string { return "subprocess: child broke the protocol: " + v.err.Error() }
func (v *violation) Unwrap() error { return v.err }

// endViolator ends the child for an error that it has brought about, and does
// nothing for others.
func (p *Process) endViolator(err error) {
	var v *violation
	if errors.As(err, &v) {
		p.Kill(v)
	}
}

// readOnce reads once and takes all frames that are then complete. The replies
// among them go to the sink together. It is called by the holder of the turn.
func (p *Process) readOnce() error {
	err := p.in.Fill()
	if err != nil {
		p.endViolator(err)
		return err
	}
	err = p.takeFrames()
	if len(p.replies) > 0 {
		p.sink.Replies(p.replies)
		clear(p.replies)
		p.replies = p.replies[:0]
		if cap(p.replies) > keepReplies {
			p.replies = nil
		}
	}
	if err != nil {
		err = &violation{err}
		p.Kill(err)
	}
	return err
}

func (p *Process) takeFrames() error {
	for {
		f, ok, err := p.in.Next()
		if err != nil {
			return err
		}
		if !ok {
			return nil
		}
		if err := p.take(f); err != nil {
			return err
		}
	}
}

// take checks one frame and does what it asks for. Replies it only collects.
func (p *Process) take(f wire.Frame) error {
	switch f.Kind {
	case wire.KindReply:
		return p.takeReply(f)
	case wire.KindHello:
		return p.takeHello(f.Body)
	case wire.KindLoaded, wire.KindRefused:
		return p.takeLoadAnswer(f)
	default:
		if p.at() == starting {
			return fmt.Errorf("%v frame before hello", f.Kind)
		}
		return p.takeAside(f)
	}
}

// takeAside takes what is neither an answer nor a greeting.
func (p *Process) takeAside(f wire.Frame) error {
	switch f.Kind {
	case wire.KindHostCall:
		return p.takeHostCall(f.Body)
	case wire.KindLog:
		return p.takeLog(f.Body)
	case wire.KindLogsDropped:
		return p.takeLogsDropped(f.Body)
	default:
		return fmt.Errorf("%v frame from a child", f.Kind)
	}
}

func (p *Process) at() phase {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.phase
}

func (p *Process) takeReply(f wire.Frame) error {
	m, err := wire.ParseReply(f.Body)
	if err != nil {
		return err
	}
	code := abi.Code(m.Code)
	if !code.Valid() {
		return fmt.Errorf("reply to call %d with unknown %v", m.Seq, code)
	}
	p.mu.Lock()
	call, ok := p.waiting.take(m.Seq)
	p.load.Store(int64(p.waiting.len()))
	var h *hosting
	if len(p.hosting) > 0 {
		h = p.hosting[m.Seq]
		delete(p.hosting, m.Seq)
	}
	last := p.last
	p.mu.Unlock()
	if h != nil {
		h.cancel()
	}
	switch {
	case !ok && m.Seq != 0 && m.Seq <= last:
		return fmt.Errorf("second reply to call %d", m.Seq)
	case !ok:
		return fmt.Errorf("reply to call %d, of %d calls", m.Seq, last)
	case code == abi.Withdrawn && !call.recalled && !call.cancelled:
		return fmt.Errorf("call %d given back as withdrawn, which nobody asked for", m.Seq)
	case code == abi.Withdrawn && call.begun:
		return fmt.Errorf("call %d given back as withdrawn after a host call of its own", m.Seq)
	}
	p.served++
	p.replied = p.replied || m.Seq == p.attends
	p.replies = append(p.replies, Reply{Seq: m.Seq, Code: code, Payload: m.Payload, Owned: f.Owned != nil})
	return nil
}

func (p *Process) takeHello(body []byte) error {
	m, err := wire.ParseHello(body)
	if err != nil {
		return err
	}
	if m.Version != wire.Version {
		return fmt.Errorf("hello with protocol version %d, want %d", m.Version, wire.Version)
	}
	if p.options.Runner == "" && m.Build != buildID() {
		return fmt.Errorf("hello from build %q, want this program's own, %q", m.Build, buildID())
	}
	claimed, err := sandbox.ParseReport(m.Sandbox)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.phase != starting {
		return errors.New("second hello frame")
	}
	if m.Joins && !p.link.join() {
		return errors.New("hello through memory that it was not given")
	}
	p.phase, p.claimed = blank, claimed
	close(p.hello)
	return nil
}

func (p *Process) takeLog(body []byte) error {
	m, err := wire.ParseLog(body)
	if err != nil {
		return err
	}
	source := LogSource(m.Source)
	if source > LogChild {
		return fmt.Errorf("log record from unknown source %d", m.Source)
	}
	p.sink.Log(LogRecord{Source: source, Level: m.Level, Text: string(m.Text)})
	return nil
}

func (p *Process) takeLogsDropped(body []byte) error {
	m, err := wire.ParseLogsDropped(body)
	if err != nil {
		return err
	}
	const warn = 4 // as in log/slog
	p.sink.Log(LogRecord{Source: LogChild, Level: warn, Text: fmt.Sprintf("%d log records dropped", uint64(m))})
	return nil
}
