//go:build unix

package wazero

import (
	"fmt"
	"math"
	"unsafe"

	"github.com/tetratelabs/wazero/experimental"
	"golang.org/x/sys/unix"
)

// memories allocates the linear memory of one instance: it reserves addresses
// for as much as the memory may become, so that growing copies nothing, and
// gives all of it back when the instance is closed. Go's heap kept 1 GiB after
// eight instances of 200 MiB.
//
// Pages are committed by mapping them anew, since a process that has given up
// mprotect still has private anonymous mmap.
type memories struct {
	most      uint64         // of bytes that it may become, whatever the module declares; 0: no bound
	base      unsafe.Pointer // nil: nothing is reserved
	reserved  uintptr
	committed uintptr
	err       error // why nothing could be reserved
}

// Allocate implements [experimental.MemoryAllocator].
func (m *memories) Allocate(_, limit uint64) experimental.LinearMemory {
	if m.most > 0 {
		limit = min(limit, m.most)
	}
	if limit == 0 {
		return m
	}
	if limit > math.MaxInt {
		m.err = fmt.Errorf("reserve %d bytes: more than this platform can address", limit)
		return m
	}
	base, err := unix.MmapPtr(-1, 0, nil, uintptr(limit), unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		m.err = fmt.Errorf("reserve %d bytes: %w", limit, err)
		return m
	}
	m.base, m.reserved = base, uintptr(limit)
	return m
}

// Reallocate implements [experimental.LinearMemory]. nil means that it cannot.
func (m *memories) Reallocate(size uint64) []byte {
	if size == 0 {
		return []byte{}
	}
	if m.base == nil || size > uint64(m.reserved) {
		return nil
	}
	if n := uintptr(size); n > m.committed {
		at := unsafe.Add(m.base, m.committed)
		_, err := unix.MmapPtr(-1, 0, at, n-m.committed, unix.PROT_READ|unix.PROT_WRITE,
			unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_FIXED)
		if err != nil {
			m.err = fmt.Errorf("commit %d bytes: %w", n-m.committed, err)
			return nil
		}
		m.committed = n
	}
	return unsafe.Slice((*byte)(m.base), size)
}

// Free implements [experimental.LinearMemory]. wazero calls it within the call
// of proc_exit, while the guest's frames are still there: the memory goes with
// the instance instead.
func (m *memories) Free() {}

// release gives everything back. No guest may run.
func (m *memories) release() {
	if m.base == nil {
		return
	}
	if err := unix.MunmapPtr(m.base, m.reserved); err != nil {
		panic(fmt.Sprintf("bug: wazero: unmap %d bytes: %v", m.reserved, err))
	}
	m.base, m.reserved, m.committed = nil, 0, 0
}
