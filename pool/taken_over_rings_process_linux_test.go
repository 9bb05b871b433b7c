package pool_test

import (
	"strings"
	"testing"

	"github.com/wasmpool/wasmpool/pool"
)

// large is an argument that does not fit a ring at once.
var large = strings.Repeat("x", 1<<20)

func TestAWorkerThatLiesAboutTheRoomInARingIsEnded(t *testing.T) {
	if transport() != pool.SharedMemory {
		t.Skip("there are no rings")
	}
	p := hostilePool(t, pool.Options{})
	honest(t, p)
	before := measure(t)
	if got, err := try(t, p, "a head too far", nil); err != nil || got != done {
		t.Fatalf("it came to %q, %v, want it done: it is found out when there is much to write", got, err)
	}
	if lost := p.Stats().WorkersLost; lost != 0 {
		t.Fatalf("%d workers are lost before there was much to write", lost)
	}
	// The call has not begun, and so goes to another worker.
	if got, err := try(t, p, "nothing", []string{large}); err != nil || got != done {
		t.Errorf("a large call came to %q, %v, want it done", got, err)
	}
	if lost := p.Stats().WorkersLost; lost != 1 {
		t.Errorf("%d workers are lost, want the one that lied", lost)
	}
	honest(t, p)
	before.compareMemory(t)
}

// TestAParentThatWaitsForRoomIsNotLedAstray has a worker that takes whoever sleeps
// for room in a ring to where nobody wakes it. Nothing is lost by that but time.
func TestAParentThatWaitsForRoomIsNotLedAstray(t *testing.T) {
	if transport() != pool.SharedMemory {
		t.Skip("there are no rings")
	}
	p := hostilePool(t, pool.Options{Concurrency: 2, Max: 1, Min: 1})
	if got, err := try(t, p, "nothing", nil); err != nil || got != done {
		t.Fatalf("the first call came to %q, %v, want it done", got, err)
	}
	before := measure(t)
	ended := make(chan error)
	go func() {
		_, err := try(t, p, "a parent led astray", nil, pool.Timeout(soon))
		ended <- err
	}()
	for range 10 {
		if got, err := try(t, p, "nothing", []string{large}); err != nil || got != done {
			t.Logf("a large call came to %q, %v: the time was up before", got, err)
			break
		}
	}
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "run time exceeds its limit") {
		t.Errorf("it came to %v, want the end of its time", err)
	}
	if err := p.Stop(within(t)); err != nil {
		t.Error(err)
	}
	before.compareRest(t)
}
