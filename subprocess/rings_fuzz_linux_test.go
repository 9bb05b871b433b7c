package subprocess

import (
	"encoding/binary"
	"io"
	"math"
	"os"
	"runtime"
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/wasmpool/wasmpool/internal/wire"
)

// FuzzParentSurvivesAnyRing plays a child that writes anything, anywhere, to the
// memory that it shares with its parent, while that reads and writes there, and
// dies.
func FuzzParentSurvivesAnyRing(f *testing.F) {
	for _, seed := range fuzzSeeds() {
		f.Add(append(binary.LittleEndian.AppendUint16([]byte{sayFrames}, uint16(len(seed))), seed...))
	}
	f.Add([]byte{setTail, 200, 7, setBell, 1, 0})
	f.Add([]byte{setHead, 200, 7, setFull, 0, 0, setBell, 200, 0})
	f.Fuzz(func(t *testing.T, script []byte) {
		o := Options{MaxPayload: fuzzPayload}.withDefaults()
		l, socket, memory := half(t, o)
		theirs := os.NewFile(uintptr(socket), "socket of the child")
		b := &localBody{end: theirs, dead: make(chan struct{})}
		b.last.Store(math.MaxUint64) // a lie
		heard := make(chan struct{})
		go func() { // ends with the script
			defer close(heard)
			defer b.exitNow(5)
			h := hello
			h.Joins = true
			c := &scribbler{memory: memory, socket: theirs, dead: b.dead}
			_, _ = theirs.Write(h.Append(nil)) // fails when it is killed meanwhile
			if c.await(func() bool { return c.there(tailAt).Load() > 0 }) {
				c.say(wire.Loaded("null").Append(nil))
				c.play(script)
			}
		}()
		j := newJudge()
		p, err := meet(t.Context(), o, j, b, l)
		if err != nil {
			<-heard
			return
		}
		if _, err := p.Load(t.Context(), &Module{Slots: fuzzSlots}); err == nil {
			c := caller{p: p}
			for range fuzzCalls - 1 {
				c.queue("echo", "x")
			}
			p.Recall(fuzzRecalled)
			p.Cancel(fuzzCanceled)
			p.Flush()
			c.queue("echo", string(make([]byte, ringHolds+1)))
			p.Flush() // somebody has to wait for room
		}
		<-p.Done()
		<-heard
		j.settle(p)
		close(j.release)
		j.settle(p)
		j.judge(t)
	})
}

// What a script says, each in a byte, followed by a byte or two of what.
const (
	sayFrames = iota // so many of the bytes that follow, through the ring
	setTail          // of the ring to the parent
	setHead          // of the ring from it
	setAsleep
	setFull
	setBell   // so many wake-ups
	setData   // anywhere
	takeBreak // lets the parent run
	sayings
)

// Where the words of a ring are.
const (
	tailAt   = 0
	fullAt   = 128
	headAt   = 256
	asleepAt = 384
)

// scribbler is a child that knows where everything is.
type scribbler struct {
	memory sharedMemory
	socket io.Writer
	dead   <-chan struct{}
}

func (c *scribbler) there(at int) *atomic.Uint64 {
	there, _ := c.memory.rings()
	return (*atomic.Uint64)(unsafe.Pointer(&there[at]))
}

func (c *scribbler) back(at int) *atomic.Uint64 {
	_, back := c.memory.rings()
	return (*atomic.Uint64)(unsafe.Pointer(&back[at]))
}

// await looks until something is so, and reports whether it is: not when the child
// is to be dead, or has kept its parent from being woken.
func (c *scribbler) await(so func() bool) bool {
	for range 100_000 {
		if so() {
			return true
		}
		select {
		case <-c.dead:
			return false
		default:
			runtime.Gosched()
		}
	}
	return false
}

// say puts bytes into the ring, as an honest child does that waits until they are
// read.
func (c *scribbler) say(b []byte) {
	_, back := c.memory.rings()
	data, tail := back[wire.RingBytes(0):], c.back(tailAt).Load()
	for i, x := range b {
		data[(tail+uint64(i))%ringHolds] = x
	}
	c.back(tailAt).Store(tail + uint64(len(b)))
	c.wake()
	c.await(func() bool { return c.back(headAt).Load() >= tail+uint64(len(b)) })
}

func (c *scribbler) wake() {
	if c.back(asleepAt).CompareAndSwap(1, 0) {
		_, _ = c.socket.Write([]byte{0})
	}
}

func (c *scribbler) play(script []byte) {
	for len(script) >= 3 {
		what, n := script[0]%sayings, binary.LittleEndian.Uint16(script[1:])
		wide := uint64(int16(n)) << (n % 64)
		script = script[3:]
		switch what {
		case sayFrames:
			k := min(int(n), len(script))
			c.say(script[:k])
			script = script[k:]
		case setTail:
			c.back(tailAt).Store(wide)
		case setHead:
			c.there(headAt).Store(wide)
		case setAsleep:
			c.back(asleepAt).Store(wide)
		case setFull:
			c.there(fullAt).Store(wide)
		case setBell:
			_, _ = c.socket.Write(make([]byte, n%64))
		case setData:
			c.memory[pageBytes+int(wide%uint64(len(c.memory)-pageBytes-8))] ^= byte(n)
		case takeBreak:
			for range n % 64 {
				runtime.Gosched()
			}
		}
		c.wake()
	}
}
