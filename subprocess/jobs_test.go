package subprocess

import (
	"testing"

	"github.com/wasmpool/wasmpool/internal/wire"
)

func TestCallsThatAreQueuedLeaveNoGarbage(t *testing.T) {
	var q jobs
	call := wire.Call{Seq: 1, Meta: []byte(`{}`), Arguments: []byte(`[1,2]`)}
	if n := testing.AllocsPerRun(100, func() {
		for range 20 {
			q.push("add", call, nil)
		}
		for q.len() > 0 {
			q.recycle(q.pop())
		}
	}); n != 0 {
		t.Errorf("20 calls in a queue that had as many before allocate %v times, want 0", n)
	}
}
