package enginetest

import (
	"errors"
	"math"
	"testing"
	"unicode/utf16"

	"github.com/wasmpool/wasmpool/isolate/engine"
)

func testImports(t *testing.T, newEngine New) {
	m := load(t, newEngine, probeModule(), engine.Config{})
	const at = 4096

	for _, pull := range []struct {
		name string
		op   uint32
		set  func(s *script, text string)
	}{
		{"function", opFunction, func(s *script, text string) { s.function = text }},
		{"context", opContext, func(s *script, text string) { s.context = []byte(text) }},
		{"reply", opReply, func(s *script, text string) { s.reply = []byte(text) }},
	} {
		for _, row := range []struct {
			name     string
			text     string
			capacity uint32
			want     string // what the memory holds then, up to the next zero
		}{
			{"whole", "greetings", 64, "greetings"},
			{"exactly", "greetings", 9, "greetings"},
			{"cut", "greetings", 5, "greet"},
			{"zero capacity", "greetings", 0, ""},
			{"nothing", "", 64, ""},
		} {
			t.Run(pull.name+" "+row.name, func(t *testing.T) {
				p := newProbe(t, m, engine.InstanceConfig{})
				pull.set(p.host, row.text)
				got, err := p.do(pull.op, at, row.capacity)
				if err != nil || int(got) != len(row.text) {
					t.Fatalf("got %d, %v, want the full length %d", got, err, len(row.text))
				}
				want := make([]byte, 16)
				copy(want, row.want)
				equal(t, "memory", p.memory(t, at, 16), want)
			})
		}
	}

	t.Run("input is repeated and cut", func(t *testing.T) {
		p := newProbe(t, m, engine.InstanceConfig{})
		got, err := p.do(opInput, at+1, 6)
		if err != nil || got != 20 {
			t.Fatalf("got %d, %v, want the full length 20", got, err)
		}
		equal(t, "memory", p.memory(t, at, 10), []byte{0, 0, 0, 0, 0, 1, 16, 0, 0, 0})
	})
	t.Run("output and fail are handed over", func(t *testing.T) {
		p := newProbe(t, m, engine.InstanceConfig{})
		for _, op := range []uint32{opOutput, opFail} {
			for _, operands := range [][]uint32{{1024, 5}, {1024, 0}, {math.MaxUint32, 0}, {1025, 3}} {
				if got, err := p.do(op, operands...); err != nil || got != 0 {
					t.Fatalf("op %d %v: got %d, %v", op, operands, got, err)
				}
			}
		}
		want := [][]byte{[]byte("probe"), nil, nil, []byte("rob")}
		same(t, "outputs and fails", [][][]byte{want, want}, [][][]byte{p.host.outputs, p.host.fails})
	})
	t.Run("the whole memory is handed over", func(t *testing.T) {
		p := newProbe(t, m, engine.InstanceConfig{})
		if got := p.memory(t, 0, 65536); len(got) != 65536 {
			t.Errorf("got %d bytes, want 65536", len(got))
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		p := newProbe(t, m, engine.InstanceConfig{})
		for _, cancelled := range []bool{false, true, false} {
			p.host.cancelled = cancelled
			if got, err := p.do(opCancelled); err != nil || (got == 1) != cancelled || got&^1 != 0 {
				t.Errorf("cancelled %v: got %d, %v", cancelled, got, err)
			}
		}
	})
	t.Run("log", func(t *testing.T) {
		p := newProbe(t, m, engine.InstanceConfig{})
		level := int32(-4)
		for _, operands := range [][]uint32{{uint32(level), 1024, 5}, {8, 1024, 0}} {
			if _, err := p.do(opLog, operands...); err != nil {
				t.Fatal(err)
			}
		}
		want := []logged{{-4, "probe"}, {8, ""}}
		same(t, "logs", want, p.host.logs)
	})
	t.Run("host passes its status through", func(t *testing.T) {
		p := newProbe(t, m, engine.InstanceConfig{})
		for _, status := range []int32{0, 7, -1, -2, -3, math.MaxInt32} {
			p.host.status = status
			if got, err := p.do(opHost, 1024, 5, 1026, 2); err != nil || got != status {
				t.Errorf("got %d, %v, want %d", got, err, status)
			}
		}
		same(t, "the first call", called{"probe", "ob"}, p.host.calls[0])
	})
	t.Run("host takes one range twice, and none", func(t *testing.T) {
		p := newProbe(t, m, engine.InstanceConfig{})
		if _, err := p.do(opHost, 1024, 5, 1024, 5); err != nil {
			t.Fatal(err)
		}
		if _, err := p.do(opHost, math.MaxUint32, 0, math.MaxUint32, 0); err != nil {
			t.Fatal(err)
		}
		want := []called{{"probe", "probe"}, {"", ""}}
		same(t, "calls", want, p.host.calls)
	})
}

// outside are ranges that are not in a memory of one page.
var outside = []struct {
	name      string
	ptr, size uint32
}{
	{"at the end", 65536, 1},
	{"over the end", 65535, 2},
	{"far away", 0x80000000, 1},
	{"length of all", 0, math.MaxUint32},
	{"sum wraps", math.MaxUint32, 2},
	{"sum wraps to zero", 0x80000000, 0x80000000},
	{"both at most", math.MaxUint32, math.MaxUint32},
	{"one more than there is", 0, 65537},
}

func testOutside(t *testing.T, newEngine New) {
	m := load(t, newEngine, probeModule(), engine.Config{})
	imports := []struct {
		name     string
		op       uint32
		operands func(ptr, size uint32) []uint32
	}{
		{"input", opInput, func(p, n uint32) []uint32 { return []uint32{p, n} }},
		{"output", opOutput, func(p, n uint32) []uint32 { return []uint32{p, n} }},
		{"fail", opFail, func(p, n uint32) []uint32 { return []uint32{p, n} }},
		{"function", opFunction, func(p, n uint32) []uint32 { return []uint32{p, n} }},
		{"context", opContext, func(p, n uint32) []uint32 { return []uint32{p, n} }},
		{"reply", opReply, func(p, n uint32) []uint32 { return []uint32{p, n} }},
		{"log", opLog, func(p, n uint32) []uint32 { return []uint32{0, p, n} }},
		{"host name", opHost, func(p, n uint32) []uint32 { return []uint32{p, n, 0, 1} }},
		{"host payload", opHost, func(p, n uint32) []uint32 { return []uint32{0, 1, p, n} }},
	}
	for _, i := range imports {
		for _, o := range outside {
			t.Run(i.name+" "+o.name, func(t *testing.T) {
				p := newProbe(t, m, engine.InstanceConfig{})
				p.host.function, p.host.context, p.host.reply = "f", []byte("{}"), []byte("r")
				_, err := p.do(i.op, i.operands(o.ptr, o.size)...)
				trap(t, err)
				if len(p.host.outputs)+len(p.host.fails)+len(p.host.logs)+len(p.host.calls) != 0 {
					t.Error("the host was called with a range outside the memory")
				}
				if _, err := p.do(opCancelled); err == nil {
					t.Error("the instance is still good after a trap")
				}
			})
		}
	}
}

func testHostErrors(t *testing.T, newEngine New) {
	m := load(t, newEngine, probeModule(), engine.Config{})
	limit := &engine.LimitError{Name: "output", Value: 3, Unit: "bytes"}
	for _, row := range []struct {
		name     string
		op       uint32
		operands []uint32
		err      error
	}{
		{"output", opOutput, []uint32{0, 5}, limit},
		{"fail", opFail, []uint32{0, 5}, limit},
		{"host", opHost, []uint32{0, 5, 0, 5}, limit},
		{"any error", opOutput, []uint32{0, 5}, errors.New("of any kind")},
		{"a trap", opOutput, []uint32{0, 5}, &engine.TrapError{Message: "mine", Stack: "here"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := newProbe(t, m, engine.InstanceConfig{})
			p.host.err = row.err
			if _, err := p.do(row.op, row.operands...); !errors.Is(err, row.err) || err.Error() != row.err.Error() {
				t.Errorf("got %v, want the host's own error %v", err, row.err)
			}
			p.host.err = nil
			if _, err := p.do(opCancelled); err == nil {
				t.Error("the instance is still good after the host ended its call")
			}
		})
	}
}

func testAbort(t *testing.T, newEngine New) {
	m := load(t, newEngine, probeModule(), engine.Config{})
	p := newProbe(t, m, engine.InstanceConfig{})
	// An AssemblyScript string: its length in bytes, then UTF-16.
	put := func(ptr uint32, text string) uint32 {
		units := utf16.Encode([]rune(text + "\x00"))
		p.poke(t, ptr, uint32(2*len(utf16.Encode([]rune(text)))))
		for i := 0; i+1 < len(units); i += 2 {
			p.poke(t, ptr+4+2*uint32(i), uint32(units[i])|uint32(units[i+1])<<16)
		}
		return ptr + 4
	}
	message, file := put(4096, "Jürgen 𝄞 fell"), put(5000, "worker.ts")
	_, err := p.do(opAbort, message, file, 12, 34)
	if got, want := trap(t, err).Message, "Jürgen 𝄞 fell (worker.ts:12:34)"; got != want {
		t.Errorf("got trap %q, want %q", got, want)
	}
	want := []logged{{8, "Jürgen 𝄞 fell (worker.ts:12:34)"}}
	same(t, "logs", want, p.host.logs)

	for _, row := range []struct {
		name string
		ptr  uint32
		size uint32 // the length that lies before it
	}{
		{"null", 0, 0},
		{"before the memory", 3, 0},
		{"outside", 0x90000000, 0},
		{"length beyond the memory", 65000, math.MaxUint32},
		{"odd length", 4100, 3},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := newProbe(t, m, engine.InstanceConfig{})
			if row.size != 0 {
				p.poke(t, row.ptr-4, row.size)
			}
			_, err := p.do(opAbort, row.ptr, row.ptr, 1, 2)
			trap(t, err)
		})
	}
}
