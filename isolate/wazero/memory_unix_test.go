//go:build unix

package wazero

import (
	"math"
	"testing"

	"github.com/wasmpool/wasmpool/isolate/engine"
	"github.com/wasmpool/wasmpool/testdata/wasm"
)

func TestMemoryGrowsInItsPlace(t *testing.T) {
	t.Parallel()
	m := new(memories)
	linear := m.Allocate(1<<16, 4<<16)
	first := linear.Reallocate(1 << 16)
	first[0], first[1<<16-1] = 1, 2
	whole := linear.Reallocate(4 << 16)
	if len(whole) != 4<<16 || whole[0] != 1 || whole[1<<16-1] != 2 || whole[4<<16-1] != 0 || &whole[0] != &first[0] {
		t.Error("what was in the memory is not there, or what is new is not zero")
	}
	for _, size := range []uint64{4<<16 + 1, math.MaxUint64} {
		if linear.Reallocate(size) != nil {
			t.Errorf("grew to %d bytes of %d", size, 4<<16)
		}
	}
	linear.Free() // wazero's, while the guest may still run
	whole[0] = 3
	m.release()
	m.release()
	if m.base != nil || linear.Reallocate(1<<16) != nil {
		t.Error("a released memory is still used")
	}
}

func TestMemoryThatCannotBeReservedIsAnError(t *testing.T) {
	t.Parallel()
	for _, limit := range []uint64{math.MaxUint64, math.MaxInt64} {
		m := new(memories)
		if m.Allocate(0, limit).Reallocate(1<<16) != nil || m.err == nil {
			t.Errorf("%d bytes were reserved", limit)
		}
		m.release()
	}
	m := new(memories)
	if b := m.Allocate(0, 0).Reallocate(0); b == nil || len(b) != 0 || m.err != nil {
		t.Errorf("a memory of nothing: %v, %v", b, m.err)
	}
}

func TestClosedInstanceGivesItsMemoryBack(t *testing.T) {
	t.Parallel()
	_, x := start(t, wasm.Module("traps"), engine.Config{MemoryBytes: 64 << 20}, &echoHost{})
	if pages, err := x.Invoke("grow"); pages != 1024 || err != nil {
		t.Fatal(pages, err)
	}
	memory := x.(*instance).memory
	if memory.committed != 64<<20 || memory.reserved != 64<<20 {
		t.Errorf("%d of %d bytes are committed", memory.committed, memory.reserved)
	}
	if _, err := x.Invoke("exit"); err == nil {
		t.Error("exit returned")
	}
	if err := x.Close(); err != nil {
		t.Error(err)
	}
	if memory.base != nil {
		t.Error("the memory is still reserved")
	}
}
