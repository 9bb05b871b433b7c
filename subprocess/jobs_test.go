package subprocess

import (
	"testing"

	"github.com/wasmpool/wasmpool/internal/wire"
)

func TestCallsThatAreQueuedLeaveNoGarbage(t *testing.T) {
	small := wire.Call{Seq: 1, Meta: []byte(`{}`), Arguments: []byte(`[1,2]`)}
	for _, row := range []struct {
		name string
		push func(q *jobs)
	}{
		{"small", func(q *jobs) { q.push("add", small, nil) }},
		{"in memory of their own", func(q *jobs) {
			owned := q.memory.take(64 << 10)
			q.push("add", wire.Call{Seq: 1, Arguments: owned[100:]}, owned)
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			var q jobs
			if n := testing.AllocsPerRun(100, func() {
				for range 20 {
					row.push(&q)
				}
				for q.len() > 0 {
					q.recycle(q.pop())
				}
			}); n != 0 {
				t.Errorf("20 calls in a queue that had as many before allocate %v times, want 0", n)
			}
		})
	}
}

func TestACallInOwnedMemoryIsWhereItArrived(t *testing.T) {
	t.Parallel()
	var q jobs
	frame := wire.Call{Seq: 7, Name: []byte("f"), Meta: []byte(`{"a":1}`), Arguments: []byte(`["x"]`)}.Append(nil)
	f, _, err := wire.Split(frame, &limits)
	if err != nil {
		t.Fatal(err)
	}
	q.push("f", must(wire.ParseCall(f.Body)), frame)
	j := q.pop()
	if string(j.bytes[:j.metaBytes]) != `{"a":1}` || string(j.bytes[j.metaBytes:]) != `["x"]` {
		t.Errorf("the call has the meta %q and the arguments %q", j.bytes[:j.metaBytes], j.bytes[j.metaBytes:])
	}
	if &j.memory[0] != &frame[0] {
		t.Error("it was copied")
	}
}

var limits = wire.FromParent()

func TestBuffersThatAreKeptBecomeLargeEnough(t *testing.T) {
	var b buffers
	for range 10 {
		b.give(make([]byte, 100))
	}
	for range 10 { // each is replaced by a larger one
		b.give(b.take(5000))
	}
	if n := testing.AllocsPerRun(10, func() { b.give(b.take(5000)) }); n != 0 {
		t.Errorf("%v allocations although there are buffers of that size", n)
	}
	b.give(make([]byte, keepBufferBytes))
	if b.bytes > keepBufferBytes {
		t.Errorf("%d bytes are kept, want at most %d", b.bytes, keepBufferBytes)
	}
}
