package pool_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// Bounds of what an attack may cost this process. Both are guesses, far below
// what an attack tries to cost and above what an honest call of 16 MiB does.
const (
	keptBytes = 32 << 20  // of live heap, afterwards
	peakBytes = 160 << 20 // of resident memory, at any time
)

// measures are what this process has before an attack.
type measures struct {
	goroutines  int
	descriptors int
	heap        uint64
	resident    uint64 // 0: not known here
}

func measure(t *testing.T) measures {
	t.Helper()
	m := measures{goroutines: runtime.NumGoroutine(), descriptors: openDescriptors(t), heap: liveHeap()}
	// From now on the peak is that of the attack.
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err == nil {
		m.resident = peakResident()
	}
	return m
}

func liveHeap() uint64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}

// peakResident is the most memory that this process held since it was reset.
func peakResident() uint64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kilobytes uint64
	if _, err := fmt.Sscan(rest, &kilobytes); err != nil {
		return 0
	}
	return kilobytes << 10
}

// compareMemory sees that an attack has not made this process larger. Records
// that were logged may need a moment to be told of.
func (m measures) compareMemory(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; runtime.Gosched() {
		now := liveHeap()
		if now <= m.heap+keptBytes {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the heap holds %d MiB after the attack, %d before", now>>20, m.heap>>20)
		}
	}
	// The race detector multiplies what a process holds.
	if peak := peakResident(); m.resident > 0 && !raceEnabled && peak > m.resident+peakBytes {
		t.Errorf("this process held %d MiB during the attack, %d before", peak>>20, m.resident>>20)
	}
}

// compareRest sees that nothing of a stopped pool is left. What has told of its
// end may need a moment to be gone.
func (m measures) compareRest(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; runtime.Gosched() {
		goroutines, descriptors := runtime.NumGoroutine(), openDescriptors(t)
		if goroutines <= m.goroutines && descriptors <= m.descriptors {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines and %d descriptors after the attack, %d and %d before",
				goroutines, descriptors, m.goroutines, m.descriptors)
		}
	}
}
