package subprocess

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/wasmpool/wasmpool/abi"
	"github.com/wasmpool/wasmpool/internal/wire"
	"github.com/wasmpool/wasmpool/subprocess/sandbox"
)

// Exit codes of a child that ends by itself.
const (
	exitStopped  = 0 // it was asked to
	exitOrphaned = 1 // its connection is closed: nobody is there to work for
)

// surroundings are what a child lives in.
type surroundings struct {
	line    childLine
	alarm   alarm                             // what the keeper waits on
	publish func(seq uint64)                  // makes known that a call starts, to outlive the child
	exit    func(code int)                    // ends the child; returns in a [Local] one only, and at once
	receive func(some bool) (*os.File, error) // takes the file that goes with the module, if there is one; called once
	seal    func() error                      // see [Outlet].Seal; nil in a [Local] child
	limit   func(addresses int64) error       // likewise
	report  sandbox.Report                    // what is known of its wall; likewise
	gone    <-chan struct{}                   // closed when a [Local] child was killed; else nil
	hooks   hooks
}

// hooks are where tests make a child die. Each may be nil.
type hooks struct {
	hello   func()           // before the first frame
	queued  func(seq uint64) // a call was read and may start from now on
	starts  func(seq uint64) // before a call's number is published
	replied func(seq uint64) // a call has ended, and its reply is not written
}

// child is the child's end of a process: what is read becomes jobs in a queue,
// and each slot takes the first of it, runs it, and writes the reply.
type child struct {
	surroundings
	handler Handler
	out     *outbox
	turn    *turn
	gather  time.Duration // how long a reply may wait for others
	clock   time.Time     // what short times are measured from

	// What is read with belongs to the holder of the turn.
	in    *wire.Reader
	names map[string]string // of functions, so that each is allocated once
	load  *loader           // the module that arrives

	mu      sync.Mutex
	queue   jobs
	slots   []*slot
	running int
	resting bool
	rest    rest
	unsent  time.Duration // when the first reply that is not flushed was added; 0: none
	stop    *int          // the number of the signal, once asked to stop
	leaving bool          // the stop is being done
	hosted  uint64        // host calls so far
	dead    bool          // a [Local] child: there is no process that ends

	dropped uint64 // log records; guarded by the outbox
}

// serve is the life of a child. It returns in a [Local] child only, after its
// end.
func serve(s surroundings, h Handler) {
	c := &child{
		surroundings: s,
		handler:      h,
		out:          newOutbox(s.line),
		clock:        time.Now(),
		names:        make(map[string]string),
	}
	c.in = wire.NewReader(s.line, wire.FromParent(), c.memory)
	c.turn = newTurn(s.alarm, c.out.flush, nil, nil)
	if c.gone != nil {
		go func() { // ends with the child
			<-c.gone
			c.turn.fail(io.EOF)
			c.orphaned()
		}()
	}
	if c.hooks.hello != nil {
		c.hooks.hello()
	}
	b := c.out.open()
	b.buf = wire.Hello{Version: wire.Version, Build: buildID(), Joins: c.line.canJoin(), Sandbox: c.report.Encode()}.Append(b.buf)
	c.out.close()
	c.out.flush() // it is far smaller than what a line takes at once
	if !c.line.join() {
		c.gather = gather
	}
	// The error tells nothing: the parent is gone, or has let go.
	_ = c.turn.keep(func() (bool, error) {
		c.noteLong()
		err := c.readOnce()
		return c.wakeSlots(0), err
	})
	c.orphaned()
}

// noteLong notes of the calls that run that the keeper reads meanwhile: they take
// long, whether they are timed or not.
func (c *child) noteLong() {
	c.mu.Lock()
	for _, s := range c.slots {
		s.long = s.runs != 0
	}
	c.mu.Unlock()
}

// orphaned ends the child, whatever its guests are doing.
func (c *child) orphaned() {
	c.mu.Lock()
	c.dead = true
	for _, s := range c.slots {
		s.cancelled.Store(true)
		s.wake.Signal()
	}
	c.mu.Unlock()
	c.exit(exitOrphaned)
}

// readOnce reads once and does what the frames say. It is called by the holder
// of the turn.
func (c *child) readOnce() error {
	if err := c.in.Fill(); err != nil {
		return err
	}
	for {
		f, ok, err := c.in.Next()
		if err != nil {
			panic(fmt.Sprintf("bug: subprocess: parent broke the protocol: %v", err))
		}
		if !ok {
			return nil
		}
		c.take(f)
	}
}

// take does what one frame says. The parent is trusted: what makes no sense is
// a bug, and ends the child with a stack.
func (c *child) take(f wire.Frame) {
	switch f.Kind {
	case wire.KindCall:
		c.takeCall(must(wire.ParseCall(f.Body)), f.Owned)
		return // the memory is the call's
	case wire.KindRecall:
		c.takeBack(uint64(must(wire.ParseRecall(f.Body))))
	case wire.KindCancel:
		c.takeCancel(uint64(must(wire.ParseCancel(f.Body))))
	case wire.KindHostReply:
		c.takeHostReply(must(wire.ParseHostReply(f.Body)))
	case wire.KindLoad:
		c.takeLoad(must(wire.ParseLoad(f.Body)))
	case wire.KindChunk:
		c.takeChunk(f.Body)
	case wire.KindStop:
		c.takeStop(int(must(wire.ParseStop(f.Body))))
	default:
		panic(fmt.Sprintf("bug: subprocess: parent sent a %v frame", f.Kind))
	}
	if f.Owned != nil {
		c.mu.Lock()
		c.queue.memory.give(f.Owned)
		c.mu.Unlock()
	}
}

func must[M any](m M, err error) M {
	if err != nil {
		panic(fmt.Sprintf("bug: subprocess: parent broke the protocol: %v", err))
	}
	return m
}

// maxNames bounds the names that are kept. A guess: modules have fewer
// functions, and whoever calls others pays for them.
const maxNames = 1024

// memory is for a large frame.
func (c *child) memory(n int) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.queue.memory.take(n)
}

func (c *child) takeCall(m wire.Call, owned []byte) {
	name, ok := c.names[string(m.Name)]
	if !ok {
		if len(c.names) >= maxNames {
			clear(c.names)
		}
		name = string(m.Name)
		c.names[name] = name
	}
	c.mu.Lock()
	c.queue.push(name, m, owned)
	c.mu.Unlock()
	if c.hooks.queued != nil {
		c.hooks.queued(m.Seq)
	}
}

func (c *child) takeCancel(seq uint64) {
	c.mu.Lock()
	for _, s := range c.slots {
		if s.runs == seq {
			s.cancelled.Store(true)
			s.wake.Signal()
		}
	}
	c.mu.Unlock()
	c.takeBack(seq)
}

// takeBack gives back a call that has not started.
func (c *child) takeBack(seq uint64) {
	c.mu.Lock()
	withdrawn := c.queue.remove(seq)
	c.mu.Unlock()
	if withdrawn {
		c.reply(wire.Reply{Seq: seq, Code: uint8(abi.Withdrawn)})
		c.out.flush()
		c.stopIfDone()
	}
}

func (c *child) takeStop(signal int) {
	c.mu.Lock()
	c.stop = &signal
	c.mu.Unlock()
	c.stopIfDone()
}

// stopIfDone ends the child when it was asked to and has nothing left to do.
func (c *child) stopIfDone() {
	c.mu.Lock()
	now := c.stop != nil && !c.leaving && !c.resting && c.running == 0 && c.queue.len() == 0
	c.leaving = c.leaving || now
	loaded := len(c.slots) > 0
	c.mu.Unlock()
	if !now {
		return
	}
	go func() { // ends with the child
		if loaded {
			c.handler.Signal(*c.stop)
		}
		if c.out.settle() != nil {
			c.orphaned()
		}
		c.exit(exitStopped)
	}()
}

// reply adds a reply to what the next flush writes.
func (c *child) reply(m wire.Reply) {
	b := c.out.open()
	if c.dropped > 0 && b.logBytes == 0 {
		b.buf = wire.LogsDropped(c.dropped).Append(b.buf)
		c.dropped = 0
	}
	b.buf = m.Append(b.buf)
	c.out.close()
}
