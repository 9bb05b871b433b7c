package subprocess

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wasmpool/wasmpool/internal/spin"
	"github.com/wasmpool/wasmpool/internal/wire"
	"github.com/wasmpool/wasmpool/subprocess/sandbox"
)

// Defaults of [Options].
const (
	defaultStartTimeout = 10 * time.Second
	defaultMaxPayload   = 64 << 20 // bytes
	minParallelism      = 3        // for a guest that never pauses, for the keeper in the kernel, for the rest
)

// Transport is how the two ends of a process talk.
type Transport uint8

const (
	// SharedMemory is a ring in each direction. On other systems than Linux it means
	// Socket.
	SharedMemory Transport = iota

	// Socket is a pair of sockets.
	Socket
)

// Options are the settings of one process. The zero value works.
type Options struct {
	// Runner is the executable; empty means this program itself.
	Runner string

	// Name is shown in the process list, as "wasmpool: NAME".
	Name string

	// StartTimeout bounds the time from the spawn to the child's first word.
	// Zero or less means 10 s.
	StartTimeout time.Duration

	// MaxPayload bounds the bytes of one reply, and of one host call's payload.
	// Zero or less means 64 MiB; the protocol's own bound is 2 GiB - 1.
	MaxPayload int64

	// Parallelism is GOMAXPROCS of the child: at least two more than the calls
	// that may run at once. Less than 3 means 3.
	Parallelism int

	// Transport is what calls and replies go through.
	Transport Transport

	// Spin bounds how long an end that has nothing to do polls for the other before
	// it sleeps, where they share memory. Zero means [spin.Limit]; less than zero
	// means never, as does a single processor.
	Spin time.Duration

	// Sandbox is what the wall around the process is to be: the best of it that
	// this machine allows. The zero plan is no wall.
	Sandbox sandbox.Plan

	// Require are the layers of the wall without which there is no process.
	Require sandbox.Set

	// Groups is a directory in which the process has a control group of its own,
	// for its memory and its tasks: one that [sandbox.CheckGroups] has found good.
	// Empty means that it has none. Linux only.
	Groups string
}

func (o Options) withDefaults() Options {
	if o.StartTimeout <= 0 {
		o.StartTimeout = defaultStartTimeout
	}
	if o.MaxPayload <= 0 {
		o.MaxPayload = defaultMaxPayload
	}
	o.MaxPayload = min(o.MaxPayload, wire.MaxPayloadBytes)
	o.Parallelism = max(o.Parallelism, minParallelism)
	if runtime.GOOS != "linux" {
		o.Transport = Socket
	}
	if o.Spin == 0 {
		o.Spin = spin.Limit
	}
	if runtime.GOMAXPROCS(0) == 1 {
		o.Spin = -1 // whoever polls keeps the other from answering
	}
	o.Spin = max(o.Spin, 0)
	return o
}

// phase is how far a process has come.
//
//	starting ──Hello──▶ blank ──Load──▶ loading ──Loaded or Refused──▶ serving
//	    └──────────── the process ended, from any phase ──▶ gone
type phase uint8

const (
	starting phase = iota
	blank
	loading
	serving
	gone
)

// body is what a process is made of, apart from the connection: something that
// lives, can be killed, and leaves a little behind.
type body interface {
	pid() int
	kill()           // at once; idempotent
	wait() Exit      // blocks until it is dead and reaped; Started and Reason are left to the caller
	started() uint64 // what it published; called after wait, once
	memoryBytes() int64
	processorTime() time.Duration
	built() sandbox.Report // what is known of its wall before it says a word
	give(*os.File) error   // hands a file over, before a frame that says so
	bound(resident int64) error
}

// Process is the parent's end of a child process. Its methods are safe for
// concurrent use.
type Process struct {
	options Options
	sink    Sink
	body    body
	link    link
	out     *outbox
	turn    *turn

	hello    chan struct{}   // closed by the first frame
	loaded   chan loadAnswer // holds one
	ended    chan struct{}   // closed when exit is set
	done     chan struct{}   // closed when that has been told
	silenced chan struct{}   // closed when the reader has ended, and grace is set
	grace    *time.Timer     // kills a child that lives without its connection
	context  context.Context // of host calls; ends with the process
	release  context.CancelFunc

	// What is read with belongs to the holder of the turn.
	in      *wire.Reader
	replies []Reply
	polled  uint64         // how many replies there were when it was last asked whether to poll
	served  uint64         // how many there are
	attends uint64         // the call that its caller reads for
	replied bool           // and whether that has been answered
	claimed sandbox.Report // set before hello is closed

	// Set by Start.
	witness *sandbox.Witness
	wall    sandbox.Report

	load atomic.Int64 // how many calls are waiting

	mu        sync.Mutex
	phase     phase
	adopted   bool // Start has returned it: its end is told
	last      uint64
	waiting   calls               // queued and not replied to
	hosting   map[uint64]*hosting // by the call that asked
	hosts     int                 // host functions that run, for calls that have ended too
	hostBytes int64               // of payloads that those hold
	slots     int
	stopping  bool
	reason    error
	patience  *time.Timer
	exit      Exit // set before ended is closed
}

// loadAnswer is how the child answered a load.
type loadAnswer struct {
	json []byte
	err  error
}

// ErrNoHello says that a child ended before its hello.
var ErrNoHello = errors.New("subprocess: child ended before its hello")

// StartError says why a process did not come to be.
type StartError struct {
	Name string
	Err  error
	Exit Exit // how the child ended; the zero Exit when there was none
}

func (e *StartError) Error() string {
	text := fmt.Sprintf("subprocess: start %q: %v", e.Name, e.Err)
	if e.Exit.PID == 0 && e.Exit.Signal == nil && e.Exit.Code == 0 {
		return text
	}
	exit := e.Exit
	if errors.Is(e.Err, exit.Reason) {
		exit.Reason = nil // it is said already
	}
	return text + " (" + lastWords(exit) + ")"
}

// Unwrap returns the cause.
func (e *StartError) Unwrap() error { return e.Err }

// ExitError says that a process ended before it had answered.
type ExitError struct{ Exit Exit }

func (e *ExitError) Error() string { return "subprocess: process ended: " + lastWords(e.Exit) }

// Unwrap returns the reason why this side ended the process, if it did.
func (e *ExitError) Unwrap() error { return e.Exit.Reason }

// lastWords is an exit in one line of text, with what the child said last.
func lastWords(e Exit) string {
	if e.Stderr == "" {
		return e.String()
	}
	return fmt.Sprintf("%v; it said: %q", e, e.Stderr)
}

// Start spawns a child and returns when it has said hello. On error, which is
// a *[StartError], nothing is left running and the sink hears nothing. The
// context bounds the start only.
func Start(ctx context.Context, o Options, sink Sink) (*Process, error) {
	o = o.withDefaults()
	if err := ctx.Err(); err != nil {
		return nil, &StartError{Name: o.Name, Err: err}
	}
	if o.Runner == "" {
		if err := Embeddable(); err != nil {
			return nil, &StartError{Name: o.Name, Err: err}
		}
	}
	b, l, err := spawn(o)
	if err != nil {
		return nil, &StartError{Name: o.Name, Err: err}
	}
	return meet(ctx, o, sink, b, l)
}

// meet makes a process of a body and a link, and waits for its hello.
func meet(ctx context.Context, o Options, sink Sink, b body, l link) (*Process, error) {
	p := &Process{
		options: o,
		sink:    sink,
		body:    b,
		link:    l,
		out:     newOutbox(l),
		turn:    newTurn(newTimerAlarm(), nil, l.interrupt, l.resume),
		in:      wire.NewReader(l, wire.FromChild(o.MaxPayload), nil),

		hello:    make(chan struct{}),
		loaded:   make(chan loadAnswer, 1),
		ended:    make(chan struct{}),
		done:     make(chan struct{}),
		silenced: make(chan struct{}),
		hosting:  make(map[uint64]*hosting),
	}
	p.out.failed = p.endViolator
	p.turn.busy = func() bool { return !p.calm() }
	l.pollWhile(p.expects)
	p.context, p.release = context.WithCancel(context.Background())
	go p.receive() // ends with the link; bury waits for it
	go p.bury()    // ends with the process; Done says so

	timeout := time.NewTimer(o.StartTimeout)
	defer timeout.Stop()
	select {
	case <-p.hello:
		p.inspectWall()
	case <-p.ended:
	case <-ctx.Done():
		p.Kill(ctx.Err())
	case <-timeout.C:
		p.Kill(fmt.Errorf("subprocess: no hello within %v", o.StartTimeout))
	}
	if p.adopt() {
		return p, nil
	}
	<-p.done
	err := p.exit.Reason
	if err == nil {
		err = ErrNoHello
	}
	return nil, &StartError{Name: o.Name, Err: err, Exit: p.exit}
}

// adopt decides, once and for all, that the process has started: from here on
// its end is told to the sink.
func (p *Process) adopt() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.adopted = p.phase == blank && p.reason == nil
	return p.adopted
}

// PID is the child's process id; 0 for a [Local] one.
func (p *Process) PID() int { return p.body.pid() }

// MemoryBytes is the memory of the child that is resident now; 0 where that is
// not known, and after its end.
func (p *Process) MemoryBytes() int64 {
	select {
	case <-p.ended:
		return 0
	default:
		return p.body.memoryBytes()
	}
}

// ProcessorTime is what the child has used of processors, in all its threads; 0
// where that is not known, and after its end.
func (p *Process) ProcessorTime() time.Duration {
	select {
	case <-p.ended:
		return 0
	default:
		return p.body.processorTime()
	}
}

// Done is closed after [Sink.Exited] has returned.
func (p *Process) Done() <-chan struct{} { return p.done }
