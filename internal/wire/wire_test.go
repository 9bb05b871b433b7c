package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// samples has one message of each kind, and the edges of some.
var samples = []Message{
	Hello{Version: Version, Build: "0123abcd", Sandbox: []byte(`{"net":""}`)},
	Hello{Sandbox: []byte{}},
	Loaded(`{"functions":["greet"]}`),
	Loaded{},
	Refused(`{"fault":"not a module","message":"bad magic"}`),
	Reply{Seq: 1, Code: 0, Payload: []byte(`"hello"`)},
	Reply{Seq: 1<<64 - 1, Code: 255, Payload: []byte{}},
	HostCall{ID: 7, Seq: 9, Name: []byte("fetch"), Payload: []byte("x")},
	HostCall{Name: []byte{}, Payload: []byte{}},
	Log{Source: 2, Level: -4, Text: []byte("a line")},
	LogsDropped(12),
	Load{Slots: 2, Addresses: 1 << 33, Files: 1, Settings: []byte(`{}`), SourceBytes: 1 << 40},
	Load{Settings: []byte{}},
	Chunk("\x00asm"),
	Call{Seq: 3, ID: 4, DeadlineMS: -1, Attempt: 1, Name: []byte("greet"), Meta: []byte(`{"a":1}`), Arguments: []byte(`["world"]`)},
	Call{Name: bytes.Repeat([]byte("n"), MaxNameBytes), Meta: []byte{}, Arguments: []byte{}},
	Cancel(5),
	Recall(6),
	HostReply{ID: 7, Status: -3, Payload: []byte("gone")},
	Stop(15),
}

// anyDirection accepts every kind, with payloads of at most 1 MiB.
func anyDirection() Limits {
	limits := FromParent()
	for kind, n := range FromChild(1 << 20) {
		limits[kind] = max(limits[kind], n)
	}
	return limits
}

func TestMessagesSurviveTheWire(t *testing.T) {
	t.Parallel()
	limits := anyDirection()
	for _, want := range samples {
		b := want.Append(nil)
		f, n, err := Split(append(bytes.Clone(b), "next"...), &limits)
		if err != nil || n != len(b) {
			t.Fatalf("Split(%x) = %d, %v; want %d bytes", b, n, err, len(b))
		}
		got, err := f.Message()
		if err != nil {
			t.Fatalf("Message of %x: %v", b, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%T changed on the wire (-sent +received):\n%s", want, diff)
		}
	}
}

func TestEveryProperPrefixNeedsMore(t *testing.T) {
	t.Parallel()
	limits := anyDirection()
	for _, m := range samples {
		b := m.Append(nil)
		for i := range b {
			if f, n, err := Split(b[:i], &limits); n != 0 || err != nil {
				t.Errorf("Split of %d of %d bytes of %T = %v, %d, %v; want 0, nil", i, len(b), m, f, n, err)
			}
		}
	}
}

func TestEveryShortBodyIsAnError(t *testing.T) {
	t.Parallel()
	fixed := map[Kind]int{
		KindHello: 6, KindReply: 9, KindHostCall: 17, KindLog: 5, KindLogsDropped: 8, KindLoad: 25,
		KindCall: 31, KindCancel: 8, KindRecall: 8, KindHostReply: 9, KindStop: 4,
	}
	for kind, want := range fixed {
		for n := range want {
			if m, err := (Frame{Kind: kind, Body: make([]byte, n)}).Message(); err == nil {
				t.Errorf("%v body of %d bytes = %+v, want an error", kind, n, m)
			}
		}
		if _, err := (Frame{Kind: kind, Body: make([]byte, want)}).Message(); err != nil {
			t.Errorf("%v body of %d zero bytes: %v", kind, want, err)
		}
	}
}

func TestInnerLengthsAreChecked(t *testing.T) {
	t.Parallel()
	huge := []byte{255, 255, 255, 255}
	call := append(make([]byte, 27), huge...)
	load := append(append(make([]byte, 13), huge...), make([]byte, 8)...)
	name := make([]byte, 17)
	name[16] = 1
	build := []byte{1, 0, 0, 0, 0, 9}
	joins := []byte{1, 0, 0, 0, 2, 0}
	for _, f := range []Frame{{Kind: KindCall, Body: call}, {Kind: KindLoad, Body: load}, {Kind: KindHostCall, Body: name}, {Kind: KindHello, Body: build}, {Kind: KindHello, Body: joins}} {
		if m, err := f.Message(); err == nil {
			t.Errorf("%v body %x = %+v, want an error", f.Kind, f.Body, m)
		}
	}
}

func TestSplitRefusesWhatNoByteCanMend(t *testing.T) {
	t.Parallel()
	limits := FromChild(100)
	tests := []struct {
		name string
		in   []byte
		want string
	}{
		{"no kind", []byte{0, 0, 0, 0}, "frame of 0 bytes"},
		{"unknown kind", []byte{1, 0, 0, 0, 200}, "frame of kind 200"},
		{"kind of the other direction", Stop(9).Append(nil), "frame of stop"},
		{"4 GiB", []byte{255, 255, 255, 255, byte(KindReply)}, "reply frame of 4294967294 bytes exceeds the maximum of 109 bytes"},
		{"one byte too many", Reply{Payload: make([]byte, 101)}.Append(nil), "reply frame of 110 bytes exceeds the maximum of 109 bytes"},
		{"log too long", Log{Text: make([]byte, MaxLogBytes+1)}.Append(nil), "exceeds"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, n, err := Split(test.in, &limits)
			if n != 0 || err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Split(%x) = %d, %v; want an error with %q", test.in[:5], n, err, test.want)
			}
		})
	}
	if _, n, err := Split(Reply{Payload: make([]byte, 100)}.Append(nil), &limits); n == 0 || err != nil {
		t.Errorf("reply at the limit: %d, %v", n, err)
	}
}

func TestReaderFindsTheSameFramesHoweverTheyArrive(t *testing.T) {
	t.Parallel()
	var stream []byte
	for _, m := range samples {
		stream = m.Append(stream)
	}
	big := Reply{Seq: 8, Payload: bytes.Repeat([]byte("0123456789abcdef"), 40<<10)} // 640 KiB
	own := Reply{Seq: 9, Payload: bytes.Repeat([]byte("0123456789"), 2<<10)}        // 20 KiB: in memory of its own
	large := Reply{Seq: 10, Payload: bytes.Repeat([]byte("0123456789"), 40<<10)}
	tail := []Message{own, own, Stop(2), large, big, Stop(1)}
	for _, m := range tail {
		stream = m.Append(stream)
	}
	want := append(append([]Message{}, samples...), tail...)

	sources := map[string]io.Reader{
		"at once":      bytes.NewReader(stream),
		"byte by byte": iotest.OneByteReader(bytes.NewReader(stream)),
		"by halves":    iotest.HalfReader(bytes.NewReader(stream)),
		"end with it":  iotest.DataErrReader(bytes.NewReader(stream)),
	}
	for name, source := range sources {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := NewReader(source, anyDirection(), nil)
			var got []byte
			count := 0
			for {
				f, ok, err := r.Next()
				if err != nil {
					t.Fatal(err)
				}
				if ok {
					m, err := f.Message()
					if err != nil {
						t.Fatal(err)
					}
					got = m.Append(got)
					count++
					continue
				}
				if err := r.Fill(); err != nil {
					if !errors.Is(err, io.EOF) {
						t.Errorf("Fill at the end = %v, want EOF", err)
					}
					break
				}
			}
			if count != len(want) || !bytes.Equal(got, stream) {
				t.Errorf("%d frames of %d bytes, want %d of %d", count, len(got), len(want), len(stream))
			}
		})
	}
}

func TestAFrameThatIsSeenComingIsTheOnesWhoTakesIt(t *testing.T) {
	t.Parallel()
	var stream []byte
	for seq := range uint64(5) { // none of the first is seen coming, since nothing large was before it
		stream = Reply{Seq: seq, Payload: bytes.Repeat([]byte{byte(seq)}, 20<<10)}.Append(stream)
	}
	asked := 0
	memory := func(n int) []byte {
		asked += n
		return make([]byte, n)
	}
	r := NewReader(&bounded{bytes.NewReader(stream), 20 << 10}, FromChild(1<<20), memory)
	var taken []Frame
	for len(taken) < 5 {
		f, ok, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			taken = append(taken, f)
		} else if err := r.Fill(); err != nil {
			t.Fatal(err)
		}
	}
	owned := 0
	for seq, f := range taken { // after all that was read since
		if f.Owned == nil {
			continue
		}
		owned++
		if m, err := ParseReply(f.Body); err != nil || m.Seq != uint64(seq) || !bytes.Equal(m.Payload, bytes.Repeat([]byte{byte(seq)}, 20<<10)) {
			t.Errorf("frame %d is not what it was: %v", seq, err)
		}
	}
	if owned < 4 || asked < owned*20<<10 || asked > (owned+1)*21<<10 {
		t.Errorf("%d of 5 frames have memory of their own, and %d bytes of that were asked for", owned, asked)
	}
}

// bounded gives so many bytes at a time at most.
type bounded struct {
	io.Reader
	most int
}

func (b *bounded) Read(p []byte) (int, error) { return b.Reader.Read(p[:min(len(p), b.most)]) }

func TestNoMemoryIsTakenForALargeFrameAboveABound(t *testing.T) {
	t.Parallel()
	memory := func(n int) []byte {
		t.Errorf("%d bytes were asked for", n)
		return make([]byte, n)
	}
	for _, announced := range []uint32{1, ownMin - headBytes - 1, ownMax - headBytes + 1, 1 << 30} {
		head := binary.LittleEndian.AppendUint32(nil, announced)
		r := NewReader(bytes.NewReader(append(head, byte(KindReply))), FromChild(MaxPayloadBytes), memory)
		if err := r.Fill(); err != nil {
			t.Fatal(err)
		}
		if _, _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestReaderTellsAnEndWithinAFrame(t *testing.T) {
	t.Parallel()
	b := Cancel(1).Append(nil)
	r := NewReader(bytes.NewReader(b[:len(b)-1]), FromParent(), nil)
	if err := r.Fill(); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := r.Next(); ok || err != nil {
		t.Fatalf("Next = %v, %v", ok, err)
	}
	if err := r.Fill(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("Fill = %v, want unexpected EOF", err)
	}
}

// zeros gives a head and then zeros, a little at a time, and remembers the
// largest buffer it was handed.
type zeros struct {
	head    []byte
	given   int
	largest int
}

func (z *zeros) Read(p []byte) (int, error) {
	z.largest = max(z.largest, len(p))
	n := copy(p, z.head)
	z.head = z.head[n:]
	if n == 0 {
		n = min(len(p), 10<<10)
		clear(p[:n])
	}
	z.given += n
	return n, nil
}

func TestReaderGrowsWithWhatArrivesNotWithWhatIsAnnounced(t *testing.T) {
	t.Parallel()
	z := &zeros{head: []byte{0, 0, 0, 0x7f, byte(KindReply)}} // 2 GiB
	r := NewReader(z, FromChild(MaxPayloadBytes), nil)
	for z.given < 300<<10 {
		if err := r.Fill(); err != nil {
			t.Fatal(err)
		}
		if _, ok, err := r.Next(); ok || err != nil {
			t.Fatalf("Next = %v, %v", ok, err)
		}
	}
	if len(r.buf) > 2*z.given+readBytes {
		t.Errorf("buffer of %d bytes after %d arrived", len(r.buf), z.given)
	}
}

func TestReaderGivesAHugeBufferBack(t *testing.T) {
	t.Parallel()
	stream := Chunk(make([]byte, 4<<20)).Append(nil)
	r := NewReader(bytes.NewReader(stream), FromParent(), nil)
	for {
		if _, ok, err := r.Next(); err != nil {
			t.Fatal(err)
		} else if ok {
			break
		}
		if err := r.Fill(); err != nil {
			t.Fatal(err)
		}
	}
	if len(r.buf) < len(stream) {
		t.Fatalf("buffer of %d bytes held a frame of %d", len(r.buf), len(stream))
	}
	if err := r.Fill(); !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	if len(r.buf) != readBytes {
		t.Errorf("buffer of %d bytes after the frame, want %d", len(r.buf), readBytes)
	}
}

func TestHotFramesNeedNoAllocation(t *testing.T) {
	// Not parallel: it counts allocations of the whole program.
	call := Call{Seq: 1, ID: 2, DeadlineMS: -1, Attempt: 1, Name: []byte("f"), Arguments: make([]byte, 32)}
	reply := Reply{Seq: 1, Payload: make([]byte, 32)}
	limits := anyDirection()
	buf := make([]byte, 0, 1024)
	n := testing.AllocsPerRun(100, func() {
		buf = reply.Append(call.Append(buf[:0]))
		f, n, err := Split(buf, &limits)
		if err != nil {
			t.Fatal(err)
		}
		if c, err := ParseCall(f.Body); err != nil || c.Seq != 1 {
			t.Fatal(c, err)
		}
		f, _, err = Split(buf[n:], &limits)
		if err != nil {
			t.Fatal(err)
		}
		if r, err := ParseReply(f.Body); err != nil || len(r.Payload) != 32 {
			t.Fatal(r, err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations for a call and its reply, want none", n)
	}
}

func FuzzSplit(f *testing.F) {
	for _, m := range samples {
		b := m.Append(nil)
		f.Add(b)
		f.Add(b[:len(b)-1])
	}
	f.Add([]byte{255, 255, 255, 255, byte(KindReply)})
	f.Add([]byte{0, 0, 0, 0, 0})
	limits := anyDirection()
	f.Fuzz(func(t *testing.T, b []byte) {
		fr, n, err := Split(b, &limits)
		if err != nil || n == 0 {
			if fr.Body != nil || n != 0 {
				t.Fatalf("Split(%x) = %v, %d, %v", b, fr, n, err)
			}
			return
		}
		for i := range n {
			if _, m, err := Split(b[:i], &limits); m != 0 || err != nil {
				t.Fatalf("prefix of %d of %d bytes: %d, %v", i, n, m, err)
			}
		}
		m, err := fr.Message()
		if err != nil {
			return
		}
		if again := m.Append(nil); !bytes.Equal(again, b[:n]) {
			t.Fatalf("%T: read %x, wrote %x", m, b[:n], again)
		}
	})
}

func BenchmarkCallAndReply(b *testing.B) {
	call := Call{Seq: 1, ID: 2, DeadlineMS: -1, Attempt: 1, Name: []byte("greet"), Arguments: make([]byte, 32)}
	limits := anyDirection()
	buf := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		buf = call.Append(buf[:0])
		f, _, _ := Split(buf, &limits)
		c, err := ParseCall(f.Body)
		if err != nil {
			b.Fatal(err)
		}
		buf = Reply{Seq: c.Seq, Payload: c.Arguments}.Append(buf)
	}
}
