//go:build linux || darwin

package subprocess

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmpool/wasmpool/abi"
	"github.com/wasmpool/wasmpool/internal/wire"
)

// connection is the end of a child that is bare of all else.
var connection = sync.OnceValue(func() childLine {
	memory, err := mapMemory(memoryFD)
	if err != nil {
		panic(err)
	}
	return newChildLine(&childSocket{fd: socketFD}, memory)
})

// say writes frames, or what is none, as a child. What follows a hello goes where
// its parent wants it to.
func say(messages ...wire.Message) {
	for _, m := range messages {
		h, first := m.(wire.Hello)
		if first {
			h.Joins = connection().canJoin()
			m = h
		}
		sayBytes(m.Append(nil))
		if first {
			connection().join()
		}
	}
}

func sayBytes(b []byte) { _ = connection().push(&batch{buf: b}) }

// hearLoad reads until the parent has sent a module to load.
func hearLoad() { hearing(wire.NewReader(fdReader{}, wire.FromParent(), nil), wire.KindLoad, 1) }

func hearing(r *wire.Reader, kind wire.Kind, n int) {
	for n > 0 {
		f, ok, err := r.Next()
		if err != nil {
			panic(err)
		}
		if ok && f.Kind == kind {
			n--
		}
		if !ok && r.Fill() != nil {
			os.Exit(3)
		}
	}
}

type fdReader struct{}

func (fdReader) Read(p []byte) (int, error) { return connection().Read(p) }

var hello = wire.Hello{Version: wire.Version, Build: buildID()}

// saysItServes says all that an honest child says up to its first n calls.
func saysItServes(n int) {
	say(hello)
	r := wire.NewReader(fdReader{}, wire.FromParent(), nil)
	hearing(r, wire.KindLoad, 1)
	say(wire.Loaded("null"))
	hearing(r, wire.KindCall, n)
}

// hearRecall serves one call, says something, and reads until that call is
// recalled.
func hearRecall(meanwhile ...wire.Message) {
	say(hello)
	r := wire.NewReader(fdReader{}, wire.FromParent(), nil)
	hearing(r, wire.KindLoad, 1)
	say(wire.Loaded("null"))
	hearing(r, wire.KindCall, 1)
	say(meanwhile...)
	hearing(r, wire.KindRecall, 1)
}

// forever does nothing; a plain select would be found to be a deadlock.
func forever() {
	for {
		time.Sleep(time.Hour) //nolint:forbidigo // it waits for nothing but its end
	}
}

var _ = as(map[string]func(){
	"dies": func() { fmt.Fprintln(os.Stderr, "no such luck"); os.Exit(4) },
	"old": func() {
		say(wire.Hello{Version: 99, Build: buildID()})
		forever()
	},
	"stranger": func() {
		say(wire.Hello{Version: wire.Version, Build: "another"})
		forever()
	},
	"half": func() { sayBytes(hello.Append(nil)[:7]); os.Exit(0) },
	"garbage": func() {
		sayBytes([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
		forever()
	},
	"4 GiB":        func() { sayBytes([]byte{255, 255, 255, 255, byte(wire.KindHello)}); forever() },
	"silent":       forever,
	"early log":    func() { say(wire.Log{Text: []byte("x")}); forever() },
	"second hello": func() { say(hello); hearLoad(); say(hello); forever() },
	"deaf": func() {
		say(hello)
		hearLoad()
		say(wire.Loaded("null"))
		_ = syscall.Close(socketFD)
		forever()
	},
	"ignores": func() { saysItServes(0); forever() },
	"unknown": func() {
		saysItServes(1)
		say(wire.Reply{Seq: 5})
		forever()
	},
	"zero": func() { saysItServes(1); say(wire.Reply{Seq: 0}); forever() },
	"twice": func() {
		saysItServes(1)
		say(wire.Reply{Seq: 1}, wire.Reply{Seq: 1})
		forever()
	},
	"gives back": func() { // without being asked
		saysItServes(1)
		say(wire.Reply{Seq: 1, Code: uint8(abi.Withdrawn)})
		forever()
	},
	"gives back another": func() {
		hearRecall()
		say(wire.Reply{Seq: 2, Code: uint8(abi.Withdrawn)})
		forever()
	},
	"gives back what began": func() {
		hearRecall(wire.HostCall{ID: 1, Seq: 1})
		say(wire.Reply{Seq: 1, Code: uint8(abi.Withdrawn)})
		forever()
	},
	"bad code":  func() { saysItServes(1); say(wire.Reply{Seq: 1, Code: 200}); forever() },
	"big reply": func() { saysItServes(1); say(wire.Reply{Seq: 1, Payload: make([]byte, 2000)}); forever() },
	"big log":   func() { saysItServes(1); say(wire.Log{Text: make([]byte, wire.MaxLogBytes+1)}); forever() },
	"bad log":   func() { saysItServes(1); say(wire.Log{Source: 9}); forever() },
	"not JSON":  func() { say(hello); hearLoad(); say(wire.Loaded("{")); forever() },
	"loaded twice": func() {
		saysItServes(1)
		say(wire.Loaded("null"))
		forever()
	},
	"speaks for the parent": func() { saysItServes(1); say(wire.Stop(1)); forever() },
	"host for nothing": func() {
		saysItServes(1)
		say(wire.HostCall{ID: 1, Seq: 2})
		forever()
	},
	"hosts at once": func() {
		saysItServes(1)
		say(wire.HostCall{ID: 1, Seq: 1}, wire.HostCall{ID: 2, Seq: 1})
		forever()
	},
	"hosts above slots": func() {
		saysItServes(2)
		say(wire.HostCall{ID: 1, Seq: 1}, wire.HostCall{ID: 2, Seq: 2})
		forever()
	},
	"never reads": func() {
		say(hello)
		r := wire.NewReader(fdReader{}, wire.FromParent(), nil)
		hearing(r, wire.KindLoad, 1)
		say(wire.Loaded("null"))
		forever()
	},
	"floods": func() {
		saysItServes(1)
		for range 20000 {
			say(wire.Log{Text: make([]byte, 1000)})
		}
		say(wire.Reply{Seq: 1})
		forever()
	},
	"grandchild": func() { // holds everything that its parent had
		cmd := exec.Command("/proc/self/exe")
		cmd.Args = []string{"wasmpool: sleeper"}
		cmd.Env = []string{handshake + "=1"}
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		cmd.ExtraFiles = []*os.File{os.NewFile(socketFD, "socket")}
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := cmd.Start(); err != nil {
			panic(err)
		}
		say(hello)
		hearLoad()
		say(wire.Loaded("null"), wire.Log{Text: fmt.Append(nil, cmd.Process.Pid)})
		os.Exit(5)
	},
	"sleeper": forever,
})

func TestStartSaysWhatAChildDidInsteadOfItsHello(t *testing.T) {
	t.Parallel()
	tests := []struct{ part, want string }{
		{"dies", "ended before its hello (exit code 4; it said: \"no such luck\\n\")"},
		{"old", "protocol version 99, want 1"},
		{"stranger", `from build "another"`},
		{"half", "ended before its hello"},
		{"garbage", "child broke the protocol"},
		{"4 GiB", "hello frame of 4294967294 bytes exceeds the maximum of 1048837 bytes"},
		{"silent", "no hello within 300ms"},
		{"early log", "log frame before hello"},
	}
	for _, test := range tests {
		t.Run(test.part, func(t *testing.T) {
			t.Parallel()
			r := newRecorder()
			o := options(test.part)
			if test.part == "silent" {
				o.StartTimeout = 300 * time.Millisecond
			}
			p, err := Start(t.Context(), o, r)
			var e *StartError
			if p != nil || !errors.As(err, &e) || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("Start = %v, %v; want an error with %q", p, err, test.want)
			}
			if err := syscall.Kill(e.Exit.PID, 0); !errors.Is(err, syscall.ESRCH) {
				t.Errorf("process %d is still there: %v", e.Exit.PID, err)
			}
			if len(r.exits) != 0 {
				t.Errorf("the sink heard of an exit: %v", r.exits)
			}
		})
	}
}

func TestStartNamesAMissingRunner(t *testing.T) {
	t.Parallel()
	_, err := Start(t.Context(), Options{Runner: "/no/such/program"}, newRecorder())
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Start = %v, want a file that does not exist", err)
	}
}

func TestStartEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := Start(ctx, options("silent"), newRecorder()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Start = %v, want the context's error", err)
	}
	if _, err := Start(ctx, options("worker"), newRecorder()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Start with an ended context = %v", err)
	}
}

func TestWhateverAChildDoesWrongEndsItWithTheReason(t *testing.T) {
	t.Parallel()
	tests := []struct{ part, want string }{
		{"second hello", "second hello frame"},
		{"deaf", "closed its connection and lived on"},
		{"ignores", "did not stop within 50ms"},
		{"unknown", "reply to call 5, of 2 calls"},
		{"zero", "reply to call 0, of 2 calls"},
		{"twice", "second reply to call 1"},
		{"gives back", "call 1 given back as withdrawn, which nobody asked for"},
		{"gives back another", "call 2 given back as withdrawn, which nobody asked for"},
		{"gives back what began", "call 1 given back as withdrawn after a host call of its own"},
		{"bad code", "unknown code 200"},
		{"big reply", "reply frame of 2009 bytes exceeds the maximum of 1033 bytes"},
		{"big log", "log frame of 16390 bytes exceeds the maximum of 16389 bytes"},
		{"bad log", "unknown source 9"},
		{"not JSON", "not JSON"},
		{"loaded twice", "no module being loaded"},
		{"speaks for the parent", "frame of stop is not accepted"},
		{"host for nothing", "host call for call 2, which is not under way"},
		{"hosts at once", "second host call at once for call 1"},
		{"hosts above slots", "2 host calls at once, with 1 slots"},
	}
	for _, test := range tests {
		t.Run(test.part, func(t *testing.T) {
			t.Parallel()
			r := newRecorder()
			r.host = func(ctx context.Context, _ HostRequest) HostReply { <-ctx.Done(); return HostReply{} }
			o := options(test.part)
			o.MaxPayload = 1024
			p, err := Start(t.Context(), o, r)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = p.Load(t.Context(), &Module{Slots: 1}) // some end here
			if test.part == "host for nothing" || test.part == "hosts at once" || test.part == "twice" {
				(&caller{p: p}).call("echo", "")
			} else {
				c := caller{p: p}
				c.queue("echo", "")
				c.call("echo", "")
			}
			if strings.HasPrefix(test.part, "gives back ") {
				p.Recall(1)
				p.Flush()
			}
			if test.part == "ignores" {
				p.Stop(15, 50*time.Millisecond)
			}
			e := r.exit(t, p)
			if e.Signal != os.Kill || e.Reason == nil || !strings.Contains(e.Reason.Error(), test.want) {
				t.Errorf("exit = %v, want killed for %q", e, test.want)
			}
		})
	}
}

func TestFlushDoesNotBlockOnAChildThatNeverReads(t *testing.T) {
	t.Parallel()
	r := newRecorder()
	p, err := Start(t.Context(), options("never reads"), r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Load(t.Context(), &Module{Slots: 1}); err != nil {
		t.Fatal(err)
	}
	c := caller{p: p}
	for range 100 { // far more than a socket holds
		c.call("echo", strings.Repeat("x", 100<<10))
	}
	p.Kill(errors.New("it never reads"))
	if e := r.exit(t, p); e.Signal != os.Kill || e.Reason.Error() != "it never reads" || e.Started != 0 {
		t.Errorf("exit = %+v", e)
	}
}

func TestAFloodOfLogsArrivesAndHarmsNobody(t *testing.T) {
	t.Parallel()
	r := newRecorder()
	p, err := Start(t.Context(), options("floods"), r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Load(t.Context(), &Module{Slots: 1}); err != nil {
		t.Fatal(err)
	}
	r.reply(t, (&caller{p: p}).call("echo", ""))
	p.Kill(nil)
	r.exit(t, p)
	if len(r.logs) != 20000 {
		t.Errorf("%d log records, want 20000", len(r.logs))
	}
}

func TestAGrandchildThatHoldsEverythingDelaysNothing(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("the child executes /proc/self/exe")
	}
	r := newRecorder()
	p, err := Start(t.Context(), options("grandchild"), r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Load(t.Context(), &Module{Slots: 1}); err != nil {
		t.Fatal(err)
	}
	e := r.exit(t, p)
	var pid int
	if len(r.logs) != 1 {
		t.Fatalf("logs = %v", r.logs)
	}
	if _, err := fmt.Sscan(r.logs[0].Text, &pid); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Errorf("the grandchild was gone before: %v", err)
	}
	if e.Code != 5 || e.Signal != nil || e.Reason != nil {
		t.Errorf("exit = %v, want its own exit code 5", e)
	}
}

// Deaths at exact places. Each is a part of its own, and the same over Local.
func deaths(exit func(int)) map[string]hooks {
	at := func(n uint64) func(uint64) {
		return func(seq uint64) {
			if seq == n {
				exit(6)
			}
		}
	}
	return map[string]hooks{
		"dies before hello":           {hello: func() { exit(6) }},
		"dies with a call read":       {queued: at(3)},
		"dies before a call starts":   {starts: at(3)},
		"dies before the reply flies": {replied: at(3)},
	}
}

var _ = func() bool {
	for name, hk := range deaths(os.Exit) {
		as(map[string]func(){name: func() { takeOver(newWorker, hk) }})
	}
	return true
}()

func TestExitTellsExactlyWhichCallsHadStarted(t *testing.T) {
	t.Parallel()
	tests := []struct {
		part    string
		started uint64
		replies int
	}{
		{"dies with a call read", 2, 2},
		{"dies before a call starts", 2, 2},
		{"dies before the reply flies", 3, 2},
	}
	for _, test := range tests {
		t.Run(test.part, func(t *testing.T) {
			t.Parallel()
			r := newRecorder()
			p, err := Start(t.Context(), options(test.part), r)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := p.Load(t.Context(), &Module{Slots: 1}); err != nil {
				t.Fatal(err)
			}
			c := caller{p: p}
			for range 2 {
				r.reply(t, c.call("echo", "x"))
			}
			c.queue("echo", "x")
			c.call("echo", "x")
			e := r.exit(t, p)
			if e.Code != 6 || e.Reason != nil || e.Started != test.started || len(r.replies) != test.replies {
				t.Errorf("started %d with %d replies, %v; want %d and %d", e.Started, len(r.replies), e, test.started, test.replies)
			}
		})
	}
	t.Run("dies before hello", func(t *testing.T) {
		t.Parallel()
		var e *StartError
		_, err := Start(t.Context(), options("dies before hello"), newRecorder())
		if !errors.As(err, &e) || !errors.Is(err, ErrNoHello) || e.Exit.Code != 6 {
			t.Errorf("Start = %v", err)
		}
	})
}

func TestRepliesWrittenBeforeDeathAreNotLost(t *testing.T) {
	t.Parallel()
	for range 20 {
		r := newRecorder()
		c := caller{p: start(t, r, 1)}
		const n = 200
		for range n {
			c.queue("echo", strings.Repeat("x", 1000))
		}
		c.call("exit", "")
		e := r.exit(t, c.p)
		if e.Code != 7 || e.Started != n+1 {
			t.Fatalf("exit = %+v", e)
		}
		for i, seq := range r.order {
			if seq != uint64(i+1) {
				t.Fatalf("reply %d is to call %d", i+1, seq)
			}
		}
	}
}

func TestLocalDeathsAreToldTheSameWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		var p *Process
		hk := hooks{starts: func(seq uint64) {
			if seq == 3 {
				p.Kill(errors.New("power cut"))
			}
		}}
		p = loaded(t, 1, func() (*Process, error) { return local(t.Context(), Options{}, r, inBubble(t), hk) })
		c := caller{p: p}
		for range 2 {
			r.reply(t, c.call("echo", "x"))
		}
		c.call("echo", "x")
		e := r.exit(t, p)
		if e.Signal != os.Kill || e.Reason.Error() != "power cut" || e.Started > 3 || len(r.replies) != 2 {
			t.Errorf("exit = %+v with %d replies", e, len(r.replies))
		}
	})
}

func TestLocalStartTimesOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		over := t.Context().Done()
		_, err := local(t.Context(), Options{}, newRecorder(), inBubble(t), hooks{hello: func() { <-over }})
		if err == nil || !strings.Contains(err.Error(), "no hello within 10s") || time.Since(began) != 10*time.Second {
			t.Errorf("Start = %v after %v", err, time.Since(began))
		}
	})
}

func TestACrashLeavesItsStack(t *testing.T) {
	t.Parallel()
	r := newRecorder()
	c := caller{p: start(t, r, 1)}
	c.call("panic", "")
	e := r.exit(t, c.p)
	if e.Code != 2 || e.Reason != nil || e.Started != 1 || !strings.Contains(e.Stderr, "panic: guest broke out") {
		t.Errorf("exit = %+v", e)
	}
	if e.Usage <= 0 {
		t.Errorf("used %v of processor time", e.Usage)
	}
}

// A process in the middle starts a worker, says its number, and is killed.
var _ = as(map[string]func(){
	"middle": func() {
		done := make(chan struct{})
		go func() {
			p, err := Start(context.Background(), options("worker"), newRecorder())
			if err != nil {
				panic(err)
			}
			go func() { // a guest that is busy notices no end of file
				if _, err := p.Load(context.Background(), &Module{Slots: 1}); err != nil {
					panic(err)
				}
				(&caller{p: p}).call("loop", "")
				say(hello, wire.Log{Text: fmt.Append(nil, p.PID())})
			}()
			<-done
		}()
		forever()
	},
})

func TestAChildDiesWithItsParent(t *testing.T) {
	t.Parallel()
	r := newRecorder()
	p, err := Start(t.Context(), options("middle"), r)
	if err != nil {
		t.Fatal(err)
	}
	r.until(func() bool { return len(r.logs) > 0 })
	var pid int
	if _, err := fmt.Sscan(r.logs[0].Text, &pid); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, 0); err != nil {
		t.Fatalf("no child %d: %v", pid, err)
	}
	p.Kill(nil)
	r.exit(t, p)
	// Nothing tells when a stranger's child is gone: look until it is.
	for deadline := time.Now().Add(10 * time.Second); ; {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("child %d outlives its parent: %s", pid, stat)
		}
		runtime.Gosched()
	}
}

func TestAThousandLivesLeaveNothingBehind(t *testing.T) {
	// Not parallel: it counts what the whole program holds.
	n := 1000
	if testing.Short() {
		n = 50
	}
	life := func(i int) {
		r := newRecorder()
		p, err := Start(t.Context(), options("worker"), r)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Load(t.Context(), &Module{Slots: 1}); err != nil {
			t.Fatal(err)
		}
		r.reply(t, (&caller{p: p}).call("echo", "x"))
		if i%2 == 0 {
			p.Kill(nil)
		} else {
			p.Stop(15, time.Minute)
		}
		r.exit(t, p)
	}
	life(0)
	goroutines, fds := settled(runtime.NumGoroutine()), openFiles(t)
	for i := range n {
		life(i)
	}
	if got := settled(goroutines); got > goroutines {
		t.Errorf("%d goroutines after %d lives, %d before", got, n, goroutines)
	}
	if got := openFiles(t); got > fds {
		t.Errorf("%d descriptors after %d lives, %d before", got, n, fds)
	}
	var status syscall.WaitStatus
	if pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil); !errors.Is(err, syscall.ECHILD) {
		t.Errorf("a child is left: %d, %v", pid, err)
	}
}

// settled gives goroutines that are about to end the time to do so.
func settled(want int) int {
	for began := time.Now(); runtime.NumGoroutine() > want && time.Since(began) < 10*time.Second; {
		runtime.Gosched()
	}
	return runtime.NumGoroutine()
}

func openFiles(t *testing.T) int {
	entries, err := os.ReadDir("/dev/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
