package subprocess

import (
	"fmt"
	"runtime"
	"time"
	"unsafe"

	"github.com/wasmpool/wasmpool/internal/wire"
)

// Queue adds a call to what the next [Process.Flush] writes, and takes a
// reference of its own to the call's body. It never blocks and does no I/O.
// Calls start in the order in which they are queued, which is the order of
// their Seq: 1, 2, 3 …. After the end of the process it does nothing.
func (p *Process) Queue(c *Call) {
	p.mu.Lock()
	if p.phase == gone {
		p.mu.Unlock()
		return
	}
	if c.Seq != p.last+1 {
		p.mu.Unlock()
		panic(fmt.Sprintf("bug: subprocess: call %d queued after call %d", c.Seq, p.last))
	}
	p.last = c.Seq
	p.waiting.add(c.Seq)
	p.load.Store(int64(p.waiting.len()))
	p.mu.Unlock()

	m := wire.Call{
		Seq:        c.Seq,
		ID:         c.ID,
		DeadlineMS: milliseconds(c.TimeLeft),
		Attempt:    uint16(min(c.Attempt, 1<<16-1)),
		Name:       bytesOf(c.Function),
		Meta:       c.Meta,
	}
	b := p.out.open()
	defer p.out.close()
	arguments := c.Body.Bytes
	b.buf = m.AppendHead(b.buf, len(arguments))
	if len(arguments) <= copyBytes {
		b.buf = append(b.buf, arguments...)
		return
	}
	c.Body.Retain()
	b.insert(arguments, c.Body)
}

// Recall asks for a call back: if it has not started, the child replies that it
// is withdrawn; if it has, nothing happens. It never blocks and does no I/O;
// [Process.Flush] sends it.
func (p *Process) Recall(seq uint64) {
	p.mu.Lock()
	call := p.waiting.find(seq)
	if call != nil {
		call.recalled = true
	}
	p.mu.Unlock()
	if call == nil {
		return
	}
	b := p.out.open()
	b.buf = wire.Recall(seq).Append(b.buf)
	p.out.close()
}

// Cancel says that nobody waits for a call any more. If it has not started, the
// child replies that it is withdrawn; if it runs, the guest is told. It never
// blocks and does no I/O; [Process.Flush] sends it.
func (p *Process) Cancel(seq uint64) {
	p.mu.Lock()
	call := p.waiting.find(seq)
	h := p.hosting[seq]
	if call != nil {
		call.cancelled = true
		delete(p.hosting, seq) // its answer would be no news
	}
	p.mu.Unlock()
	if call == nil {
		return
	}
	if h != nil {
		h.cancel()
	}
	p.turn.expel() // a caller that attends to it need not any more
	b := p.out.open()
	b.buf = wire.Cancel(seq).Append(b.buf)
	p.out.close()
}

// Flush writes what is queued. It is called without locks, and never blocks on
// the child: it writes on the calling goroutine what the connection takes at
// once, and leaves the rest to another. While one goroutine flushes, others
// leave their frames to it.
//
// In a crowd it lets other goroutines go first, which are likely to add calls of
// their own: the replies of a batch wake their callers together.
func (p *Process) Flush() {
	if p.load.Load() >= crowd {
		p.out.flushAfter(runtime.Gosched)
		return
	}
	p.out.flush()
}

// crowd is how many calls under way make a crowd. A guess; with it a call takes a
// fifth less processor time with 64 callers on two workers.
const crowd = 8

// milliseconds rounds up, so that only a deadline that has passed is zero.
// Negative is -1, for none.
func milliseconds(d time.Duration) int64 {
	if d < 0 {
		return -1
	}
	ms := int64(d / time.Millisecond)
	if d%time.Millisecond > 0 {
		ms++
	}
	return ms
}

// bytesOf is a string's bytes, only to be read.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
