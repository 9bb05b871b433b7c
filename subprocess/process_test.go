//go:build linux || darwin

package subprocess

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmpool/wasmpool/abi"
)

// overBoth runs a test over a process of the operating system, and over a local
// one with false time.
func overBoth(t *testing.T, test func(t *testing.T, r *recorder, start func(slots int) *Process)) {
	t.Run("process", func(t *testing.T) {
		t.Parallel()
		r := newRecorder()
		test(t, r, func(slots int) *Process { return start(t, r, slots) })
	})
	t.Run("local", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			r := newRecorder()
			test(t, r, func(slots int) *Process {
				return loaded(t, slots, func() (*Process, error) {
					return Local(t.Context(), options("local"), r, inBubble(t))
				})
			})
		})
	})
}

// inBubble returns a worker for a test with false time.
func inBubble(t *testing.T) *worker { return &worker{falseTime: true, over: t.Context().Done()} }

func TestCallCarriesEverythingThereAndBack(t *testing.T) {
	t.Parallel()
	overBoth(t, func(t *testing.T, r *recorder, start func(int) *Process) {
		p := start(1)
		body := NewBody()
		body.Bytes = append(body.Bytes, `["world"]`...)
		p.Queue(&Call{Seq: 1, ID: 77, Attempt: 3, TimeLeft: 1500 * time.Microsecond, Function: "describe", Meta: []byte(`{"a":1}`), Body: body})
		p.Flush()
		got := r.reply(t, 1)
		want := Reply{Seq: 1, Payload: []byte(`{"arguments":"[\"world\"]","attempt":3,"deadline":2,"id":77,"meta":"{\"a\":1}"}`)}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("reply (-want +got):\n%s", diff)
		}
	})
}

func TestPayloadsOfEverySizeComeBackWhole(t *testing.T) {
	t.Parallel()
	overBoth(t, func(t *testing.T, r *recorder, start func(int) *Process) {
		c := caller{p: start(2)}
		sizes := []int{0, 1, 32, copyBytes, copyBytes + 1, 64 << 10, 1 << 20, 5 << 20}
		for _, n := range sizes {
			c.queue("echo", strings.Repeat("0123456789abcdef", n/16+1)[:n])
		}
		c.p.Flush()
		for i, n := range sizes {
			got := r.reply(t, uint64(i+1))
			if want := strings.Repeat("0123456789abcdef", n/16+1)[:n]; got.Code != abi.Returned || string(got.Payload) != want {
				t.Errorf("echo of %d bytes = %v, %d bytes", n, got.Code, len(got.Payload))
			}
		}
	})
}

func TestCallsOfOneSlotEndInTheirOrder(t *testing.T) {
	t.Parallel()
	overBoth(t, func(t *testing.T, r *recorder, start func(int) *Process) {
		c := caller{p: start(1)}
		const n = 2000
		for i := range n {
			c.queue("echo", fmt.Sprint(i))
			if i%7 == 0 {
				c.p.Flush()
			}
		}
		c.p.Flush()
		r.reply(t, n)
		for i, seq := range r.order {
			if seq != uint64(i+1) {
				t.Fatalf("reply %d is to call %d", i+1, seq)
			}
		}
	})
}

func TestAttendReadsTheReplyOnTheCallersGoroutine(t *testing.T) {
	t.Parallel()
	overBoth(t, func(t *testing.T, r *recorder, start func(int) *Process) {
		c := caller{p: start(1)}
		for i := range 500 {
			seq := c.call("echo", fmt.Sprint(i))
			c.p.Attend(seq, nil)
			if got := r.reply(t, seq); string(got.Payload) != fmt.Sprint(i) {
				t.Fatalf("call %d: %q", seq, got.Payload)
			}
		}
		c.p.turn.mu.Lock()
		defer c.p.turn.mu.Unlock()
		if c.p.turn.taken == 0 {
			t.Error("no caller ever read")
		}
	})
}

func TestAttendGivesUpOnALongCall(t *testing.T) {
	t.Parallel()
	overBoth(t, func(t *testing.T, r *recorder, start func(int) *Process) {
		c := caller{p: start(1)}
		for range 10 { // the keeper lends its turn to later calls
			seq := c.call("echo", "")
			c.p.Attend(seq, nil)
			r.reply(t, seq)
		}
		seq := c.call("loop", "") // ends only when cancelled
		c.p.Attend(seq, nil)
		c.p.Cancel(seq)
		c.p.Flush()
		if got := r.reply(t, seq); string(got.Payload) != "cancelled" {
			t.Errorf("loop = %v %q", got.Code, got.Payload)
		}
	})
}

func TestCancelMakesAttendReturnAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		// The handler runs in false time, and does not heed the cancel.
		c := caller{p: loaded(t, 1, func() (*Process, error) { return Local(t.Context(), Options{}, r, inBubble(t)) })}
		for range 200 {
			seq := c.call("echo", "")
			c.p.Attend(seq, nil)
			r.reply(t, seq)
		}
		seq := c.call("stubborn", "")
		began := time.Now()
		time.AfterFunc(time.Millisecond/4, func() { c.p.Cancel(seq); c.p.Flush() })
		c.p.Attend(seq, nil)
		if d := time.Since(began); d != time.Millisecond/4 {
			t.Errorf("returned %v after it began, want when the call was cancelled, after 250µs", d)
		}
	})
}

func TestAGuestThatLoopsKeepsNobodyElseWaiting(t *testing.T) {
	t.Parallel()
	overBoth(t, func(t *testing.T, r *recorder, start func(int) *Process) {
		c := caller{p: start(2)}
		loop := c.call("loop", "")
		for range 100 {
			r.reply(t, c.call("echo", "x"))
		}
		r.reply(t, c.call("log", "still here"))
		r.until(func() bool { return len(r.logs) > 0 })
		if diff := cmp.Diff([]LogRecord{{Source: LogGuest, Level: 8, Text: "still here"}}, r.logs); diff != "" {
			t.Errorf("logs (-want +got):\n%s", diff)
		}
		c.p.Cancel(loop)
		c.p.Flush()
		if got := r.reply(t, loop); got.Code != abi.Failed || string(got.Payload) != "cancelled" {
			t.Errorf("loop = %v %q", got.Code, got.Payload)
		}
	})
}

func TestCancelWithdrawsACallThatHasNotStarted(t *testing.T) {
	t.Parallel()
	overBoth(t, func(t *testing.T, r *recorder, start func(int) *Process) {
		c := caller{p: start(1)}
		loop := c.call("loop", "")
		waits, after := c.call("echo", "a"), c.call("echo", "b")
		c.p.Cancel(waits)
		c.p.Flush()
		if got := r.reply(t, waits); got.Code != abi.Withdrawn {
			t.Errorf("call that waited = %v", got.Code)
		}
		c.p.Cancel(loop)
		c.p.Flush()
		r.reply(t, loop)
		if got := r.reply(t, after); string(got.Payload) != "b" {
			t.Errorf("call behind = %v %q", got.Code, got.Payload)
		}
		c.p.Cancel(after) // too late: nothing happens
		c.p.Cancel(99)    // never queued
		c.p.Flush()
		if got := r.reply(t, c.call("echo", "c")); string(got.Payload) != "c" {
			t.Errorf("next call = %v %q", got.Code, got.Payload)
		}
	})
}

func TestAReplyDoesNotWaitBehindALongCall(t *testing.T) {
	t.Parallel()
	overBoth(t, func(t *testing.T, r *recorder, start func(int) *Process) {
		c := caller{p: start(1)}
		c.queue("echo", "quick")
		loop := c.queue("loop", "")
		c.p.Flush()
		if got := r.reply(t, 1); string(got.Payload) != "quick" {
			t.Errorf("reply = %v %q", got.Code, got.Payload)
		}
		c.p.Cancel(loop)
		c.p.Flush()
		r.reply(t, loop)
	})
}

func TestHostFunctionsAnswerTheirCall(t *testing.T) {
	t.Parallel()
	overBoth(t, func(t *testing.T, r *recorder, start func(int) *Process) {
		r.host = func(_ context.Context, q HostRequest) HostReply {
			return HostReply{Status: abi.HostFailed, Payload: fmt.Appendf(nil, "%d %s %s", q.Seq, q.Name, q.Payload)}
		}
		c := caller{p: start(2)}
		if got := r.reply(t, c.call("host", "ping")); string(got.Payload) != "-1 1 relay ping" {
			t.Errorf("host = %q", got.Payload)
		}
		if got := r.reply(t, c.call("host twice", "")); string(got.Payload) != "2 relay a2 relay b" {
			t.Errorf("host twice = %q", got.Payload)
		}
		big := strings.Repeat("x", 300<<10)
		if got := r.reply(t, c.call("host", big)); len(got.Payload) != len("-1 3 relay ")+len(big) {
			t.Errorf("host of %d bytes = %d bytes", len(big), len(got.Payload))
		}
	})
}

func TestCancelEndsAHostCallOnBothSides(t *testing.T) {
	t.Parallel()
	overBoth(t, func(t *testing.T, r *recorder, start func(int) *Process) {
		asked, ended := make(chan struct{}), make(chan struct{})
		r.host = func(ctx context.Context, _ HostRequest) HostReply {
			close(asked)
			<-ctx.Done()
			close(ended)
			return HostReply{}
		}
		c := caller{p: start(1)}
		seq := c.call("host", "x")
		<-asked
		c.p.Cancel(seq)
		c.p.Flush()
		if got := r.reply(t, seq); string(got.Payload) != "-3 " {
			t.Errorf("host = %q, want the status of a cancelled call", got.Payload)
		}
		if got := r.reply(t, c.call("echo", "next")); string(got.Payload) != "next" {
			t.Errorf("next call = %q", got.Payload)
		}
		<-ended
	})
}

func TestHostFunctionsThatLingerHoldBoundedBytes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const most = 1000
		r := newRecorder()
		asked, release := make(chan struct{}), make(chan struct{})
		r.host = func(_ context.Context, q HostRequest) HostReply { // deaf to its context
			asked <- struct{}{}
			<-release
			return HostReply{Payload: fmt.Append(nil, len(q.Payload))}
		}
		c := caller{p: loaded(t, 1, func() (*Process, error) {
			return Local(t.Context(), Options{MaxPayload: most}, r, inBubble(t))
		})}
		full := strings.Repeat("x", most)
		for range 1 + spareHostPayloads {
			seq := c.call("host", full)
			<-asked
			c.p.Cancel(seq)
			c.p.Flush()
			r.reply(t, seq)
		}
		got := string(r.reply(t, c.call("host", "y")).Payload)
		want := `-1 {"message":"host functions that still run for calls that have ended hold too many bytes"}`
		if got != want {
			t.Errorf("host = %s, want %s", got, want)
		}
		empty := c.call("host", "") // holds nothing
		<-asked
		close(release)
		if got := string(r.reply(t, empty).Payload); got != "0 0" {
			t.Errorf("host without a payload = %q", got)
		}
		synctest.Wait()
		again := c.call("host", full)
		<-asked
		if got := string(r.reply(t, again).Payload); got != "0 1000" {
			t.Errorf("host after the others have ended = %q", got)
		}
	})
}

func TestTheEndOfTheProcessEndsHostFunctions(t *testing.T) {
	t.Parallel()
	overBoth(t, func(t *testing.T, r *recorder, start func(int) *Process) {
		asked, ended := make(chan struct{}), make(chan struct{})
		r.host = func(ctx context.Context, _ HostRequest) HostReply {
			close(asked)
			<-ctx.Done()
			close(ended)
			return HostReply{}
		}
		c := caller{p: start(1)}
		c.call("host", "x")
		<-asked
		c.p.Kill(errors.New("enough"))
		<-ended
		if e := r.exit(t, c.p); e.Started != 1 || e.Signal != os.Kill || e.Reason.Error() != "enough" {
			t.Errorf("exit = %+v", e)
		}
	})
}

func TestLoadReturnsTheAnswerOrWhoseFaultItWas(t *testing.T) {
	t.Parallel()
	tests := []struct{ settings, want, wantErr string }{
		{`{"a":1}`, `{"bytes":200000,"settings":{"a":1},"slots":3}`, ""},
		{`"silent"`, `null`, ""},
		{`"refuse"`, ``, "not a module: bad magic"},
		{`"fail"`, ``, "subprocess: load: disk on fire"},
	}
	for _, test := range tests {
		t.Run(test.settings, func(t *testing.T) {
			t.Parallel()
			p, err := Start(t.Context(), options("worker"), newRecorder())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { p.Kill(nil); <-p.Done() }()
			got, err := p.Load(t.Context(), &Module{Settings: json.RawMessage(test.settings), Source: make([]byte, 200000), Slots: 3})
			text := ""
			if err != nil {
				text = err.Error()
			}
			if string(got) != test.want || text != test.wantErr {
				t.Errorf("Load = %s, %q; want %s, %q", got, text, test.want, test.wantErr)
			}
			if _, err := p.Load(t.Context(), &Module{Slots: 1}); err == nil || !strings.Contains(err.Error(), "second module") {
				t.Errorf("second Load = %v", err)
			}
		})
	}
}

func TestLoadRefusalIsARefusal(t *testing.T) {
	t.Parallel()
	p, err := Start(t.Context(), options("worker"), newRecorder())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { p.Kill(nil); <-p.Done() }()
	_, err = p.Load(t.Context(), &Module{Settings: json.RawMessage(`"refuse"`), Slots: 1})
	var r *Refusal
	if !errors.As(err, &r) || r.Fault != abi.NotWasm {
		t.Errorf("Load = %v, want a refusal for %q", err, abi.NotWasm)
	}
}

func TestLoadEndsWithItsContextAndWithTheProcess(t *testing.T) {
	t.Parallel()
	r := newRecorder()
	p, err := Start(t.Context(), options("worker"), r)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Load(ctx, &Module{Settings: json.RawMessage(`"hang"`), Slots: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("Load = %v, want the context's error", err)
	}
	p.Kill(nil)
	r.exit(t, p)

	r = newRecorder()
	if p, err = Start(t.Context(), options("worker"), r); err != nil {
		t.Fatal(err)
	}
	_, err = p.Load(t.Context(), &Module{Settings: json.RawMessage(`"panic"`), Slots: 1})
	var e *ExitError
	if !errors.As(err, &e) || e.Exit.Code != 2 || !strings.Contains(e.Exit.Stderr, "handler fell over") {
		t.Errorf("Load = %v, want the exit with the panic", err)
	}
	r.exit(t, p)
}

func TestStopFinishesWhatWasQueuedThenSignalsThenExits(t *testing.T) {
	t.Parallel()
	overBoth(t, func(t *testing.T, r *recorder, start func(int) *Process) {
		c := caller{p: start(1)}
		const n = 300
		for range n {
			c.queue("echo", "x")
		}
		c.p.Stop(15, time.Minute)
		c.p.Stop(15, 0) // changes nothing
		e := r.exit(t, c.p)
		if e.Code != 0 || e.Signal != nil || e.Reason != nil || e.Started != n || len(r.replies) != n {
			t.Errorf("%d replies, exit = %+v; want %d and a clean end", len(r.replies), e, n)
		}
		if diff := cmp.Diff([]LogRecord{{Source: LogChild, Text: "signal 15"}}, r.logs); diff != "" {
			t.Errorf("logs (-want +got):\n%s", diff)
		}
	})
}

func TestStopKillsAfterPatience(t *testing.T) {
	t.Parallel()
	overBoth(t, func(t *testing.T, r *recorder, start func(int) *Process) {
		c := caller{p: start(1)}
		c.call("loop", "")
		began := time.Now()
		c.p.Stop(15, 50*time.Millisecond)
		e := r.exit(t, c.p)
		if e.Signal != os.Kill || e.Code != -1 || e.Reason == nil || e.Reason.Error() != "subprocess: child did not stop within 50ms" {
			t.Errorf("exit = %+v", e)
		}
		if d := time.Since(began); d < 50*time.Millisecond {
			t.Errorf("killed after %v, want 50ms of patience", d)
		}
	})
}

func TestStopWithSignal9KillsAtOnce(t *testing.T) {
	t.Parallel()
	overBoth(t, func(t *testing.T, r *recorder, start func(int) *Process) {
		p := start(1)
		p.Stop(9, time.Hour)
		if e := r.exit(t, p); e.Signal != os.Kill || e.Reason == nil || len(r.logs) != 0 {
			t.Errorf("exit = %+v, logs %v", e, r.logs)
		}
	})
}

func TestAfterTheEndEverythingIsQuiet(t *testing.T) {
	t.Parallel()
	overBoth(t, func(t *testing.T, r *recorder, start func(int) *Process) {
		c := caller{p: start(1)}
		c.p.Kill(errors.New("first"))
		c.p.Kill(errors.New("second"))
		if e := r.exit(t, c.p); e.Reason == nil || e.Reason.Error() != "first" {
			t.Errorf("exit = %+v, want the first reason", e)
		}
		c.call("echo", "x")
		c.p.Cancel(1)
		c.p.Attend(1, nil)
		c.p.Stop(15, 0)
		c.p.Kill(nil)
		var e *ExitError
		if _, err := c.p.Load(t.Context(), &Module{Slots: 1}); !errors.As(err, &e) {
			t.Errorf("Load = %v, want an exit", err)
		}
		if m := c.p.MemoryBytes(); m != 0 {
			t.Errorf("memory = %d", m)
		}
	})
}

func TestChildRestsOnlyWhenItHasLittered(t *testing.T) {
	t.Parallel()
	r := newRecorder()
	c := caller{p: start(t, r, 1)}
	before := string(r.reply(t, c.call("rests", "")).Payload)
	for range 3 * lookCalls {
		c.queue("litter", "")
	}
	r.reply(t, c.call("echo", ""))
	after := string(r.reply(t, c.call("rests", "")).Payload)
	if before == after {
		t.Errorf("rests %s before and %s after much garbage", before, after)
	}
}

func TestNoCallStartsAboveSoMuchGarbageUntilTheChildHasRested(t *testing.T) {
	t.Parallel()
	r := newRecorder()
	asked, release := make(chan struct{}), make(chan struct{})
	r.host = func(context.Context, HostRequest) HostReply {
		close(asked)
		<-release
		return HostReply{}
	}
	c := caller{p: start(t, r, 3)}
	before := string(r.reply(t, c.call("rests", "")).Payload)
	loop, host := c.call("loop", ""), c.call("host", "") // it cannot rest while they run
	<-asked
	for range overdueBytes/(8<<20) + 1 {
		r.reply(t, c.call("litter", ""))
	}
	r.reply(t, c.call("echo", strings.Repeat("x", lookCalls*lookBytes))) // makes it look
	held := c.call("echo", "held")
	close(release)
	r.reply(t, host) // two slots are idle now
	c.p.Cancel(held)
	c.p.Flush()
	if got := r.reply(t, held); got.Code != abi.Withdrawn {
		t.Errorf("a call above the bound = %v, want that it did not start", got.Code)
	}
	next := c.call("echo", "next")
	c.p.Cancel(loop)
	c.p.Flush()
	if got := r.reply(t, next); string(got.Payload) != "next" {
		t.Errorf("a call after the last one has ended = %v %q", got.Code, got.Payload)
	}
	if after := string(r.reply(t, c.call("rests", "")).Payload); before == after {
		t.Errorf("rests %s before and %s after too much garbage", before, after)
	}
}

func TestLogsAreBoundedAndTheLossIsCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		p := loaded(t, 1, func() (*Process, error) { return Local(t.Context(), Options{}, r, inBubble(t)) })
		c := caller{p: p}
		// While the sink is busy nothing is read, and the child has to drop.
		r.gate = make(chan struct{})
		c.call("flood", "")
		synctest.Wait()
		close(r.gate)
		r.reply(t, c.seq)
		r.reply(t, c.call("log", "end"))
		r.until(func() bool { return r.logs[len(r.logs)-1].Text == "end" })
		got, dropped := 0, 0
		for _, l := range r.logs {
			n := 0
			if _, err := fmt.Sscanf(l.Text, "%d log records dropped", &n); err == nil {
				dropped += n
			} else if l.Source == LogStdout {
				got++
			}
		}
		if got+dropped != 10000 || dropped == 0 {
			t.Errorf("%d records arrived and %d were dropped, of 10000", got, dropped)
		}
	})
}

func TestChildSeesNothingButWhatItNeeds(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc")
	}
	r := newRecorder()
	c := caller{p: start(t, r, 1)}
	var seen struct{ Env, FDs []string }
	if err := json.Unmarshal(r.reply(t, c.call("look", "")).Payload, &seen); err != nil {
		t.Fatal(err)
	}
	wantEnv := append([]string{"GOMAXPROCS=3", "GOGC=off", "GODEBUG=containermaxprocs=0,updatemaxprocs=0,decoratemappings=0"}, raceEnv...)
	if diff := cmp.Diff(wantEnv, seen.Env); diff != "" {
		t.Errorf("environment (-want +got):\n%s", diff)
	}
	kinds := map[string]int{}
	for _, fd := range seen.FDs {
		kind, _, _ := strings.Cut(fd, ":")
		kinds[kind]++
	}
	delete(kinds, "")           // the directory being read, closed by now
	delete(kinds, "anon_inode") // the runtime's own poller
	want := map[string]int{"/dev/null": 1, "pipe": 2, "socket": 1}
	for kind := range kinds {
		if strings.HasPrefix(kind, "/proc/") {
			delete(kinds, kind)
		}
	}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Errorf("descriptors (-want +got):\n%s\n%v", diff, seen.FDs)
	}
	if m := c.p.MemoryBytes(); m < 1<<20 {
		t.Errorf("resident memory = %d bytes", m)
	}
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", c.p.PID()))
	if err != nil || string(bytes.TrimRight(line, "\x00")) != "wasmpool: worker" {
		t.Errorf("command line %q, %v", line, err)
	}
}

func TestQueuePanicsOnAGapInTheNumbers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		c := caller{seq: 4, p: loaded(t, 1, func() (*Process, error) { return Local(t.Context(), Options{}, r, inBubble(t)) })}
		defer func() {
			if v := fmt.Sprint(recover()); !strings.HasPrefix(v, "bug: ") {
				t.Errorf("panic = %q", v)
			}
		}()
		c.call("echo", "")
	})
}

func TestProcessOutlivesTheGoroutineThatStartedIt(t *testing.T) {
	t.Parallel()
	r := newRecorder()
	started := make(chan *Process)
	go func() {
		runtime.LockOSThread() // and its thread ends with it
		p, err := Start(context.Background(), options("worker"), r)
		if err != nil {
			t.Error(err)
		}
		started <- p
	}()
	p := <-started
	defer func() { p.Kill(nil); <-p.Done() }()
	if _, err := p.Load(t.Context(), &Module{Slots: 1}); err != nil {
		t.Fatal(err)
	}
	for range 20 { // other threads come and go
		done := make(chan struct{})
		go func() { runtime.LockOSThread(); close(done) }()
		<-done
	}
	c := caller{p: p}
	if got := r.reply(t, c.call("echo", "alive")); string(got.Payload) != "alive" {
		t.Errorf("echo = %q", got.Payload)
	}
}

func TestQueueAndFlushNeedNoAllocation(t *testing.T) {
	// Not parallel: it counts allocations of the whole program.
	r := &desk{recorder: newRecorder()}
	for i := range r.waits {
		r.waits[i] = make(chan int, 1)
	}
	p, err := Start(t.Context(), options("worker"), r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { p.Kill(nil); <-p.Done() }()
	if _, err := p.Load(t.Context(), &Module{Slots: 1}); err != nil {
		t.Fatal(err)
	}
	body := NewBody()
	body.Bytes = make([]byte, 32)
	call := Call{ID: 1, Attempt: 1, TimeLeft: -1, Function: "echo", Body: body}
	n := testing.AllocsPerRun(2000, func() {
		call.Seq++
		p.Queue(&call)
		p.Flush()
		p.Attend(call.Seq, nil)
		<-r.waits[call.Seq%uint64(len(r.waits))]
	})
	if n != 0 {
		t.Errorf("%v allocations a call, want none", n)
	}
}
