//go:build linux || darwin

package subprocess

import (
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmpool/wasmpool/internal/wire"
)

// withScript plays against a child that hears a load, and then does what a script
// says; all in false time, which does not pass while anybody has something to do.
func withScript(t *testing.T, script func(hear func(wire.Kind), say func(...wire.Message)), play func(c *caller, r *recorder)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		here, there := newPipe()
		b := &localBody{end: there, dead: make(chan struct{})}
		go func() { // ends with the pipe
			frames := wire.NewReader(there, wire.FromParent(), nil)
			hear := func(k wire.Kind) { hears(frames, k) }
			say := func(messages ...wire.Message) {
				var out batch
				for _, m := range messages {
					out.buf = m.Append(out.buf)
				}
				_ = there.push(&out)
			}
			say(hello)
			hear(wire.KindLoad)
			say(wire.Loaded("null"))
			script(hear, say)
		}()
		r := newRecorder()
		p, err := meet(t.Context(), Options{}.withDefaults(), r, b, here)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Load(t.Context(), &Module{Slots: 1}); err != nil {
			t.Fatal(err)
		}
		c := &caller{p: p}
		c.call("echo", "") // the keeper has the turn, and gives it away after this
		p.Attend(1, nil)
		r.reply(t, 1)
		synctest.Wait()
		play(c, r)
		p.Kill(nil)
		<-p.Done()
	})
}

func TestWhoeverAttendsLeavesWithItsReplyWhateverComesWithIt(t *testing.T) {
	withScript(t, func(hear func(wire.Kind), say func(...wire.Message)) {
		hear(wire.KindCall)
		say(wire.Reply{Seq: 1})
		hear(wire.KindCall)
		hear(wire.KindCall)
		say(wire.Reply{Seq: 2}, wire.Reply{Seq: 3})
	}, func(c *caller, r *recorder) {
		begun := time.Now()
		left := make(chan struct{})
		seq := c.call("echo", "")
		go func() {
			c.p.Attend(seq, nil)
			close(left)
		}()
		synctest.Wait()
		c.call("echo", "")
		<-left
		r.reply(t, 3)
		if took := time.Since(begun); took != 0 {
			t.Errorf("it left after %v", took)
		}
	})
}

func TestRepliesThatNobodyAttendsToAreReadAtOnce(t *testing.T) {
	withScript(t, func(hear func(wire.Kind), say func(...wire.Message)) {
		hear(wire.KindCall)
		say(wire.Reply{Seq: 1})
		hear(wire.KindCall)
		say(wire.Reply{Seq: 2})
	}, func(c *caller, r *recorder) {
		begun := time.Now()
		seq := c.call("echo", "")
		c.p.Unattended()
		r.reply(t, seq)
		if took := time.Since(begun); took != 0 {
			t.Errorf("the reply was read after %v", took)
		}
	})
}

func TestAParentExpectsSomethingOfAChildThatHasCalls(t *testing.T) {
	withScript(t, func(hear func(wire.Kind), say func(...wire.Message)) {
		hear(wire.KindCall)
		say(wire.Reply{Seq: 1})
		hear(wire.KindCall)
		say(wire.Log{Text: []byte("a")}, wire.Reply{Seq: 2}, wire.Log{Text: []byte("b")})
	}, func(c *caller, r *recorder) {
		c.p.expects() // after the first call, once
		if c.p.expects() {
			t.Error("it expects something of a child without calls")
		}
		seq := c.queue("echo", "")
		for range 2 {
			if !c.p.expects() {
				t.Error("it expects nothing of a child with a call")
			}
		}
		c.p.Flush()
		c.p.Unattended()
		r.reply(t, seq)
		synctest.Wait()
		if !c.p.expects() || c.p.expects() {
			t.Error("after a reply it does not expect another call, once")
		}
	})
}

// TestAKeeperThatWasAboutToYieldReadsWhenACallComesThen has the call come between
// its last look at the calls and the moment in which nobody has the turn.
func TestAKeeperThatWasAboutToYieldReadsWhenACallComesThen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turn := newTurn(newTimerAlarm(), nil, nil, nil)
		turn.busy = func() bool { return true }
		begun, reads := time.Now(), 0
		err := turn.keep(func() (yield bool, err error) {
			if reads++; reads == 2 {
				err = io.EOF
			}
			return true, err
		})
		if took := time.Since(begun); took != 0 || !errors.Is(err, io.EOF) {
			t.Errorf("it read again after %v, %v", took, err)
		}
	})
}
