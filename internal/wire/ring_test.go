package wire

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
	"unsafe"
)

// newTestRing returns the two ends of a ring that holds so many bytes.
func newTestRing(holds int) (*Producer, *Consumer) {
	words := make([]uint64, RingBytes(holds)/8) // aligned, as pages are
	memory := unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), RingBytes(holds))
	return NewProducer(memory), NewConsumer(memory)
}

func TestARingCarriesBytesInTheirOrder(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for _, holds := range []int{8, 64, 4096} {
		p, c := newTestRing(holds)
		want := make([]byte, 20_000)
		for i := range want {
			want[i] = byte(i * 7)
		}
		var got []byte
		buf := make([]byte, 200)
		for sent := 0; len(got) < len(want); {
			n, err := p.Write(want[sent:min(sent+r.IntN(100), len(want))])
			if err != nil {
				t.Fatal(err)
			}
			sent += n
			p.Publish()
			m, _, err := c.Read(buf[:r.IntN(100)])
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, buf[:m]...)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("through a ring of %d bytes came something else", holds)
		}
	}
}

func TestARingShowsOnlyWhatIsPublished(t *testing.T) {
	t.Parallel()
	p, c := newTestRing(64)
	if _, err := p.Write([]byte("abc")); err != nil {
		t.Fatal(err)
	}
	if n, _, err := c.Read(make([]byte, 8)); n != 0 || err != nil || c.Ready() {
		t.Errorf("before it was published %d bytes were read, %v, ready %v", n, err, c.Ready())
	}
	p.Publish()
	if n, _, err := c.Read(make([]byte, 8)); n != 3 || err != nil {
		t.Errorf("after it was published %d bytes were read, %v, want 3", n, err)
	}
}

// TestWhoeverSleepsAtARingIsWokenOnce plays each order in which two ends can
// come to the same moment.
func TestWhoeverSleepsAtARingIsWokenOnce(t *testing.T) {
	t.Parallel()
	t.Run("reader", func(t *testing.T) {
		t.Parallel()
		p, c := newTestRing(64)
		put := func() bool {
			if n, err := p.Write([]byte("x")); n != 1 || err != nil {
				t.Fatalf("Write = %d, %v", n, err)
			}
			return p.Publish()
		}
		if put() {
			t.Error("a reader that is awake was to be woken")
		}
		if c.Doze() {
			t.Error("a reader was to sleep although there is something to read")
		}
		if n, _, _ := c.Read(make([]byte, 8)); n != 1 {
			t.Errorf("%d bytes were read, want 1", n)
		}
		if !c.Doze() {
			t.Error("a reader was not to sleep although there is nothing to read")
		}
		if !put() || put() {
			t.Error("a reader that sleeps is to be woken by the first byte, and not by the second")
		}
		if n, _, _ := c.Read(make([]byte, 8)); n != 2 {
			t.Errorf("%d bytes were read, want 2", n)
		}
		if !c.Doze() {
			t.Error("a reader was not to sleep although there is nothing to read")
		}
		if c.Rouse(); put() {
			t.Error("a reader that has woken by itself was to be woken")
		}
	})
	t.Run("writer", func(t *testing.T) {
		t.Parallel()
		p, c := newTestRing(8)
		if sleep, err := p.Starve(); sleep || err != nil {
			t.Errorf("a writer was to sleep although there is room, %v", err)
		}
		if n, err := p.Write(make([]byte, 20)); n != 8 || err != nil {
			t.Errorf("Write = %d, %v, want 8", n, err)
		}
		p.Publish()
		if sleep, err := p.Starve(); !sleep || err != nil || p.Full().Load() != 1 {
			t.Errorf("a writer was not to sleep although there is no room, %v", err)
		}
		_, first, _ := c.Read(make([]byte, 2))
		_, second, _ := c.Read(make([]byte, 2))
		if !first || second {
			t.Errorf("a writer that sleeps is to be woken by the first read, and not by the second: %v, %v", first, second)
		}
	})
}

func TestARingBelievesNoPosition(t *testing.T) {
	t.Parallel()
	const holds = 64
	for _, at := range []uint64{0, 9, 29, 31 + holds, 1 << 40, ^uint64(0)} { // 10 to 30 are in use
		p, c := newTestRing(holds)
		for range 3 {
			if _, err := p.Write(make([]byte, 10)); err != nil {
				t.Fatal(err)
			}
			p.Publish()
		}
		if n, _, err := c.Read(make([]byte, 10)); n != 10 || err != nil {
			t.Fatalf("Read = %d, %v", n, err)
		}
		if n, _, err := c.Read(make([]byte, 20)); n != 20 || err != nil {
			t.Fatalf("Read = %d, %v", n, err)
		}
		c.marks.tail.Store(at)
		if _, _, err := c.Read(make([]byte, 1)); err == nil || !strings.Contains(err.Error(), "tail of a ring of 64 bytes") {
			t.Errorf("a tail at %d: Read = %v, want an error", at, err)
		}
		p, c = newTestRing(holds)
		if _, err := p.Write(make([]byte, 30)); err != nil {
			t.Fatal(err)
		}
		p.Publish()
		if n, _, err := c.Read(make([]byte, 30)); n != 30 || err != nil {
			t.Fatalf("Read = %d, %v", n, err)
		}
		if _, err := p.room(); err != nil {
			t.Fatal(err)
		}
		c.marks.head.Store(at)
		if _, err := p.Write(make([]byte, holds+1)); err == nil || !strings.Contains(err.Error(), "head of a ring of 64 bytes") {
			t.Errorf("a head at %d: Write = %v, want an error", at, err)
		}
		if _, err := p.Starve(); err == nil {
			t.Errorf("a head at %d: Starve has no error", at)
		}
	}
}

// FuzzAnyEndOfARing has the other end write anything to the memory between any two
// steps of this one: no position may come to where it cannot be.
func FuzzAnyEndOfARing(f *testing.F) {
	f.Add([]byte("\x00\x10\x01\x05\x02\x00\x03\x80\x04\x00\x05\xff"))
	f.Fuzz(func(t *testing.T, script []byte) {
		const holds = 64
		p, c := newTestRing(holds)
		for ; len(script) >= 2; script = script[2:] {
			n := script[1]
			wide := uint64(int8(n)) << (n % 64)
			var err error
			moved := 0
			switch script[0] % 8 {
			case 0:
				moved, err = p.Write(make([]byte, n))
			case 1:
				moved, _, err = c.Read(make([]byte, n))
			case 2:
				p.Publish()
			case 3:
				c.Doze()
				_, err = p.Starve()
			case 4:
				p.marks.tail.Store(wide)
			case 5:
				p.marks.head.Store(wide)
			case 6:
				p.marks.full.Store(uint32(n))
				p.marks.asleep.Store(uint32(n))
			case 7:
				p.data[n%holds] ^= n
			}
			if moved < 0 || moved > holds || err == nil && moved > int(n) {
				t.Fatalf("%d bytes moved at once, of %d, through a ring of %d", moved, n, holds)
			}
			if p.tail-p.head > holds || c.tail-c.head > holds {
				t.Fatalf("the ends are at %d to %d and %d to %d, in a ring of %d", p.head, p.tail, c.head, c.tail, holds)
			}
			if err != nil {
				return // it is the other end's end
			}
		}
	})
}
