package enginetest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/wasmpool/wasmpool/isolate/engine"
)

// FuzzImports calls the imports with any operands, in a guest whose memory holds
// anything, with a host that answers anything: the call returns, or ends with a
// typed error, and a new instance is as good as the first. An import of the
// worker ABI traps if one of its ranges is outside the memory, before the host
// is called, and does not otherwise.
func FuzzImports(f *testing.F, newEngine New) {
	m := load(f, newEngine, probeModule(), engine.Config{})
	for op := range uint32(opPoke + 1) {
		f.Add(op, uint32(0), uint32(16), uint32(1024), uint32(5), []byte("reply"), int32(5), false)
		f.Add(op, uint32(65535), uint32(2), uint32(0xffffffff), uint32(0xffffffff), []byte{}, int32(-1), true)
		f.Add(op, uint32(0x80000000), uint32(0x80000000), uint32(0), uint32(0), []byte{0xff}, int32(-2147483648), false)
		f.Add(op, uint32(4096), uint32(4096), uint32(1<<28), uint32(4096), bytes.Repeat([]byte{1}, 100_000), int32(1<<31-1), false)
	}
	f.Fuzz(func(t *testing.T, op, a, b, c, d uint32, reply []byte, status int32, refuse bool) {
		op %= opPoke + 1
		host := &script{reply: reply, context: reply, function: string(reply), status: status, cancelled: refuse}
		if refuse {
			host.err = &engine.LimitError{Name: "anything", Value: 1, Unit: "bytes"}
		}
		x, err := m.Instantiate(t.Context(), engine.InstanceConfig{Host: host, Args: []string{"probe"}})
		if err != nil {
			t.Fatal(err)
		}
		defer x.Close()
		for range 2 {
			host.input = operation(op, a, b, c, d)
			if op == opPoll {
				// What lies at the pointer would be how long to sleep.
				binary.LittleEndian.PutUint32(host.input[4:], a%1024+2048)
			}
			before := host.asked()
			_, err := x.Invoke("probe")
			var trap *engine.TrapError
			var limit *engine.LimitError
			if err != nil && !errors.As(err, &trap) && !errors.As(err, &limit) {
				t.Fatalf("got %v (%T), want a typed error", err, err)
			}
			if op < opAbort {
				inside := inside(op, a, b, c, d)
				switch {
				case inside && trap != nil:
					t.Fatalf("op %d (%d, %d, %d, %d): %v, of ranges that are inside the memory", op, a, b, c, d, err)
				case !inside && trap == nil:
					t.Fatalf("op %d (%d, %d, %d, %d): %v, want a trap", op, a, b, c, d, err)
				case !inside && host.asked() != before:
					t.Fatalf("op %d (%d, %d, %d, %d): the host was called", op, a, b, c, d)
				}
			}
			if err != nil {
				return
			}
		}
	})
}

// inside reports whether the ranges that an import of the worker ABI is given
// are in the one page of the probe.
func inside(op, a, b, c, d uint32) bool {
	fits := func(ptr, size uint32) bool { return size == 0 || uint64(ptr)+uint64(size) <= 1<<16 }
	switch op {
	case opCancelled:
		return true
	case opLog:
		return fits(b, c)
	case opHost:
		return fits(a, b) && fits(c, d)
	}
	return fits(a, b)
}
