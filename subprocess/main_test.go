//go:build linux || darwin

package subprocess

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/wasmpool/wasmpool/abi"
)

// The test binary is also every child: init looks for its part by the name
// that the parent gave it.
func init() {
	if os.Getenv(handshake) == "" {
		return
	}
	name := strings.TrimPrefix(os.Args[0], "wasmpool: ")
	part, ok := parts[name]
	if !ok {
		fmt.Fprintf(os.Stderr, "no such part: %q\n", name)
		os.Exit(2)
	}
	_ = syscall.SetNonblock(socketFD, false) // most parts make bare system calls
	part()
	fmt.Fprintf(os.Stderr, "part %q has ended\n", name)
	os.Exit(2)
}

// parts are what a child can be, by name.
var parts = map[string]func(){}

// as adds parts; it is called by variable declarations, before any init: the
// answer only makes that possible.
//
//nolint:unparam // see above
func as(added map[string]func()) struct{} {
	maps.Copy(parts, added)
	return struct{}{}
}

var _ = as(map[string]func(){
	"worker": func() { TakeOver(newWorker) },
})

// transport is what the children of all tests talk through: rings, unless the
// environment asks for the socket.
func transport() Transport {
	if os.Getenv("WASMPOOL_TEST_TRANSPORT") == "socket" {
		return Socket
	}
	return SharedMemory
}

// options are those of a child that plays a part.
func options(part string) Options { return Options{Name: part, Transport: transport()} }

// worker is a handler whose functions the tests call.
type worker struct {
	falseTime bool // it is in a bubble of testing/synctest
	over      <-chan struct{}

	mu      sync.Mutex
	out     Outlet
	rests   int
	garbage [][]byte
	bufs    [16][]byte
}

func newWorker() Handler { return new(worker) }

func (w *worker) Load(_ context.Context, m *Module, out Outlet) (json.RawMessage, error) {
	w.out = out
	switch string(m.Settings) {
	case `"refuse"`:
		return nil, &Refusal{Fault: abi.NotWasm, Message: "bad magic"}
	case `"fail"`:
		return nil, fmt.Errorf("disk on fire")
	case `"hang"`:
		select {}
	case `"panic"`:
		panic("handler fell over")
	case `"silent"`:
		return nil, nil
	}
	return json.Marshal(map[string]any{"bytes": len(m.Source), "slots": m.Slots, "settings": m.Settings})
}

func (w *worker) Call(slot int, c *Invocation, r *Result) {
	switch c.Function {
	case "echo":
		w.bufs[slot] = append(w.bufs[slot][:0], c.Arguments...)
		r.Payload = w.bufs[slot]
	case "describe":
		r.Payload, _ = json.Marshal(map[string]any{
			"id": c.ID, "attempt": c.Attempt, "deadline": c.DeadlineMS, "meta": string(c.Meta), "arguments": string(c.Arguments),
		})
	case "loop": // runs without ever pausing, as a guest does
		for !c.Cancelled() {
			if w.falseTime {
				// False time stands still while anybody runs, and for ever once
				// the test is over.
				select {
				case <-time.After(time.Millisecond):
				case <-w.over:
				}
			}
		}
		r.Code, r.Payload = abi.Failed, []byte("cancelled")
	case "stubborn": // ends with the test
		<-w.over
	case "log":
		w.out.Log(LogGuest, 8, c.Arguments)
	case "flood":
		line := []byte(strings.Repeat("x", 8000))
		for range 10000 {
			w.out.Log(LogStdout, 0, line)
		}
	case "host":
		reply := c.Host("relay", c.Arguments)
		r.Payload = append(fmt.Append(nil, reply.Status, " "), reply.Payload...)
	case "host twice":
		first := string(c.Host("relay", []byte("a")).Payload)
		r.Payload = fmt.Append(nil, first, string(c.Host("relay", []byte("b")).Payload))
	case "host without end": // until it is cancelled
		for c.Host("relay", nil).Status != abi.HostCancelled {
		}
		r.Code = abi.Failed
	case "litter":
		w.garbage = append(w.garbage[:0], make([]byte, 8<<20))
	case "rests":
		w.mu.Lock()
		r.Payload = fmt.Append(nil, w.rests)
		w.mu.Unlock()
	case "look": // what a child sees of the world
		r.Payload = look()
	case "panic":
		panic("guest broke out")
	case "exit":
		os.Exit(7)
	default:
		r.Code = abi.NotFound
	}
}

func (w *worker) Signal(number int) {
	w.out.Log(LogChild, 0, fmt.Append(nil, "signal ", number))
}

func (w *worker) Rest() {
	w.mu.Lock()
	w.rests++
	w.mu.Unlock()
}

// look returns the environment and the open descriptors.
func look() []byte {
	entries, _ := os.ReadDir("/proc/self/fd")
	var fds []string
	for _, e := range entries {
		to, _ := os.Readlink("/proc/self/fd/" + e.Name())
		fds = append(fds, to)
	}
	b, _ := json.Marshal(map[string][]string{"env": os.Environ(), "fds": fds})
	return b
}

// recorder is a sink that remembers, and lets tests wait for what they expect.
type recorder struct {
	mu      sync.Mutex
	changed sync.Cond
	replies map[uint64]Reply
	order   []uint64
	logs    []LogRecord
	exits   []Exit
	host    func(context.Context, HostRequest) HostReply
	gate    chan struct{} // if not nil, a log record waits until it is closed
}

func newRecorder() *recorder {
	r := &recorder{replies: make(map[uint64]Reply)}
	r.changed.L = &r.mu
	return r
}

func (r *recorder) note(f func()) {
	r.mu.Lock()
	f()
	r.mu.Unlock()
	r.changed.Broadcast()
}

func (r *recorder) Replies(replies []Reply) {
	r.note(func() {
		for _, reply := range replies {
			reply.Payload = append([]byte(nil), reply.Payload...)
			r.replies[reply.Seq] = reply
			r.order = append(r.order, reply.Seq)
		}
	})
}

func (r *recorder) Host(ctx context.Context, q HostRequest) HostReply {
	if r.host != nil {
		return r.host(ctx, q)
	}
	return HostReply{Payload: append([]byte(q.Name+":"), q.Payload...)}
}

func (r *recorder) Log(l LogRecord) {
	if r.gate != nil {
		<-r.gate
	}
	r.note(func() { r.logs = append(r.logs, l) })
}

func (r *recorder) Exited(e Exit) { r.note(func() { r.exits = append(r.exits, e) }) }

// until waits until what f looks for has been reported, or the process ended.
func (r *recorder) until(f func() bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for !f() && len(r.exits) == 0 {
		r.changed.Wait()
	}
	return f()
}

// reply waits for the reply to a call.
func (r *recorder) reply(t testing.TB, seq uint64) Reply {
	t.Helper()
	ok := r.until(func() bool { _, ok := r.replies[seq]; return ok })
	if !ok {
		t.Fatalf("process ended without a reply to call %d: %v %q", seq, r.exits[0], r.exits[0].Stderr)
	}
	return r.replies[seq]
}

// exit waits for the end of a process and returns it.
func (r *recorder) exit(t testing.TB, p *Process) Exit {
	t.Helper()
	<-p.Done()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.exits) != 1 {
		t.Fatalf("%d exits reported, want 1: %v", len(r.exits), r.exits)
	}
	return r.exits[0]
}

// start starts a worker as a process, loaded with so many slots.
func start(t testing.TB, r *recorder, slots int) *Process {
	t.Helper()
	return loaded(t, slots, func() (*Process, error) {
		o := options("worker")
		o.Parallelism = slots + 2
		return Start(t.Context(), o, r)
	})
}

// loaded starts a process and loads it; the end of the test kills it.
func loaded(t testing.TB, slots int, start func() (*Process, error)) *Process {
	t.Helper()
	p, err := start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Kill(nil)
		<-p.Done()
	})
	if _, err := p.Load(context.Background(), &Module{Source: []byte("source"), Slots: slots}); err != nil {
		t.Fatal(err)
	}
	return p
}

// caller numbers the calls of one process.
type caller struct {
	p   *Process
	seq uint64
}

// call queues a call and flushes it.
func (c *caller) call(function, arguments string) uint64 {
	c.queue(function, arguments)
	c.p.Flush()
	return c.seq
}

func (c *caller) queue(function, arguments string) uint64 {
	c.seq++
	body := NewBody()
	defer body.Release()
	body.Bytes = append(body.Bytes, arguments...)
	c.p.Queue(&Call{Seq: c.seq, ID: 100 + c.seq, Attempt: 1, TimeLeft: -time.Second, Function: function, Body: body})
	return c.seq
}
