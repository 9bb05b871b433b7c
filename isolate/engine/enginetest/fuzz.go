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
// typed error, and a new instance is as good as the first.
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
			_, err := x.Invoke("probe")
			if err == nil {
				continue
			}
			var trap *engine.TrapError
			var limit *engine.LimitError
			if !errors.As(err, &trap) && !errors.As(err, &limit) {
				t.Fatalf("got %v (%T), want a typed error", err, err)
			}
			return
		}
	})
}
