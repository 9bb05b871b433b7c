//go:build linux || darwin

package subprocess

import (
	"context"
	"errors"
	"math"
	"runtime"
	"sync"
	"testing"

	"github.com/wasmpool/wasmpool/abi"
	"github.com/wasmpool/wasmpool/internal/wire"
)

// What a fuzzed child is given: calls 1 and 2 may be given back.
const (
	fuzzCalls    = 80 // more than host functions may linger
	fuzzSlots    = 2
	fuzzPayload  = 64
	fuzzRecalled = 1
	fuzzCanceled = 2
	fuzzHosts    = fuzzSlots + maxLingers
	fuzzHeld     = fuzzPayload * (fuzzSlots + spareHostPayloads)
)

// FuzzParentSurvivesAnyChild plays a child that is honest for a while, then says
// any bytes at all, and dies. Manners are how far it is honest: 0 not at all, 1
// up to its hello, 2 until it has its calls.
func FuzzParentSurvivesAnyChild(f *testing.F) {
	for _, seed := range fuzzSeeds() {
		for manners := range byte(3) {
			f.Add(manners, seed)
		}
	}
	f.Fuzz(func(t *testing.T, manners byte, said []byte) {
		here, there := newPipe()
		b := &localBody{end: there, dead: make(chan struct{})}
		b.last.Store(math.MaxUint64) // a lie
		heard := make(chan struct{})
		go func() { // ends with the pipe
			defer close(heard)
			defer b.exitNow(5)
			if behave(there, manners%3) {
				_ = there.push(&batch{buf: said}) // fails when it is killed meanwhile
			}
		}()
		j := newJudge()
		o := Options{MaxPayload: fuzzPayload}.withDefaults()
		p, err := meet(t.Context(), o, j, b, here)
		if err != nil {
			<-heard
			if j.exits != nil {
				t.Errorf("never started (%v), and its end was told: %v", err, j.exits)
			}
			return
		}
		if _, err := p.Load(t.Context(), &Module{Slots: fuzzSlots}); err == nil {
			c := caller{p: p}
			for range fuzzCalls {
				c.queue("echo", "x")
			}
			p.Recall(fuzzRecalled)
			p.Cancel(fuzzCanceled)
			p.Flush()
		}
		if manners%3 < 2 {
			p.Attend(fuzzCalls, nil)
		}
		<-p.Done()
		<-heard
		j.settle(p) // all that linger are running, and measured
		close(j.release)
		j.settle(p) // they have ended, or are about to
		j.judge(t)
	})
}

// behave is an honest child up to some point. It reports whether it came there.
func behave(l link, manners byte) bool {
	if manners == 0 {
		return true
	}
	if l.push(&batch{buf: hello.Append(nil)}) != nil {
		return false
	}
	if manners == 1 {
		return true
	}
	r := wire.NewReader(l, wire.FromParent(), nil)
	return hears(r, wire.KindLoad) && l.push(&batch{buf: wire.Loaded("null").Append(nil)}) == nil && hears(r, wire.KindCancel)
}

// hears reads until a frame of a kind, and reports whether one came.
func hears(r *wire.Reader, kind wire.Kind) bool {
	for {
		f, ok, err := r.Next()
		if ok && f.Kind == kind {
			return true
		}
		if err != nil || !ok && r.Fill() != nil {
			return false
		}
	}
}

// judge is a sink that notes what no child may make happen.
type judge struct {
	release chan struct{} // ends host functions that do not look at their context

	mu      sync.Mutex
	replied map[uint64]bool
	hosts   int
	held    int // bytes of payloads of host functions that run
	faults  []string
	exits   []Exit
}

func newJudge() *judge {
	return &judge{release: make(chan struct{}), replied: make(map[uint64]bool)}
}

func (j *judge) expect(ok bool, otherwise string) {
	if !ok {
		j.faults = append(j.faults, otherwise)
	}
}

func (j *judge) Replies(replies []Reply) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.expect(j.exits == nil, "replies after the end")
	for _, r := range replies {
		j.expect(r.Seq >= 1 && r.Seq <= fuzzCalls, "a reply to no call")
		j.expect(!j.replied[r.Seq], "two replies to one call")
		j.expect(r.Code.Valid(), "a reply with an unknown code")
		j.expect(len(r.Payload) <= fuzzPayload, "a reply above the limit")
		mayReturn := r.Seq == fuzzRecalled || r.Seq == fuzzCanceled
		j.expect(r.Code != abi.Withdrawn || mayReturn, "a call given back that nobody asked for")
		j.replied[r.Seq] = true
	}
}

// Host answers at once, but for odd payloads: then it runs until the very end.
func (j *judge) Host(_ context.Context, q HostRequest) HostReply {
	j.hold(1, len(q.Payload))
	defer j.hold(-1, -len(q.Payload))
	if len(q.Payload)%2 == 1 {
		<-j.release
	}
	return HostReply{Payload: q.Payload}
}

func (j *judge) hold(hosts, bytes int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.hosts += hosts
	j.held += bytes
	j.expect(j.hosts <= fuzzHosts, "too many host functions at once")
	j.expect(j.held <= fuzzHeld, "host functions that hold too many bytes")
}

// settle waits until all host functions that the process counts are running. It
// is called after the end of the process, when no more begin. Nothing tells when
// a goroutine has begun, or is past its last line: look until it is.
func (j *judge) settle(p *Process) {
	for {
		p.mu.Lock()
		hosts, held := p.hosts, int(p.hostBytes)
		p.mu.Unlock()
		j.mu.Lock()
		settled := j.hosts == hosts && j.held == held
		j.mu.Unlock()
		if settled {
			return
		}
		runtime.Gosched()
	}
}

func (j *judge) Log(r LogRecord) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.expect(j.exits == nil, "a log record after the end")
	j.expect(len(r.Text) <= wire.MaxLogBytes, "a log record above the limit")
	j.expect(r.Source <= LogChild, "a log record from nowhere")
}

func (j *judge) Exited(e Exit) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.exits = append(j.exits, e)
}

func (j *judge) judge(t *testing.T) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, fault := range j.faults {
		t.Error(fault)
	}
	if len(j.exits) != 1 {
		t.Fatalf("%d ends were told, want 1: %v", len(j.exits), j.exits)
	}
	e := j.exits[0]
	var v *violation
	if e.Reason != nil && !errors.As(e.Reason, &v) {
		t.Errorf("ended for %v, want a violation or no reason", e.Reason)
	}
	if e.Signal != nil && e.Reason == nil {
		t.Errorf("killed without a reason: %v", e)
	}
	if e.Started > fuzzCalls {
		t.Errorf("started %d of %d calls", e.Started, fuzzCalls)
	}
}

// fuzzSeeds are what children say that are honest, and such that are not.
func fuzzSeeds() [][]byte {
	frames := func(messages ...wire.Message) (b []byte) {
		for _, m := range messages {
			b = m.Append(b)
		}
		return b
	}
	var lingers, hoards, gone []byte
	for seq := uint64(3); seq <= fuzzCalls; seq++ {
		end := wire.Reply{Seq: seq}
		lingers = append(lingers, frames(wire.HostCall{ID: seq, Seq: seq, Payload: []byte("x")}, end)...)
		hoards = append(hoards, frames(wire.HostCall{ID: seq, Seq: seq, Payload: make([]byte, fuzzPayload-1)}, end)...)
		gone = append(gone, frames(wire.HostCall{ID: seq, Seq: seq, Name: []byte("f")}, wire.Log{Text: []byte("x")})...)
	}
	withdrawn := uint8(abi.Withdrawn)
	return [][]byte{
		nil,
		{0, 0, 0, 0},
		{255, 255, 255, 255, byte(wire.KindReply)},
		[]byte("HTTP/1.1 400 Bad Request\r\n\r\n"),
		frames(hello),
		frames(hello, wire.Loaded("{}"), wire.Reply{Seq: 1}),
		frames(wire.Loaded("null")),
		frames(wire.Refused(`{"fault":"","message":"no"}`)),
		frames(wire.Reply{Seq: 1, Code: withdrawn}, wire.Reply{Seq: 2, Code: withdrawn}, wire.Reply{Seq: 3, Payload: []byte("1")}),
		frames(wire.Reply{Seq: 3, Code: withdrawn}),
		frames(wire.HostCall{ID: 1, Seq: 1}, wire.Reply{Seq: 1, Code: withdrawn}),
		frames(wire.Reply{Seq: 3}, wire.Reply{Seq: 3}),
		frames(wire.Reply{Seq: 4, Code: 200}),
		frames(wire.Reply{Seq: 4, Payload: make([]byte, fuzzPayload+1)}),
		frames(wire.HostCall{ID: 7, Seq: 3, Name: []byte("f"), Payload: []byte("xy")}, wire.Reply{Seq: 3})[:40],
		frames(wire.Log{Source: 1, Level: -4, Text: []byte("line")}, wire.LogsDropped(9), wire.Log{Source: 4}),
		frames(wire.Stop(15)),
		lingers, hoards, gone,
	}
}
