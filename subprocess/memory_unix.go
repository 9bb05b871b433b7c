//go:build linux || darwin

package subprocess

import (
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/wasmpool/wasmpool/internal/wire"
)

const (
	pageBytes = 4096

	// ringHolds is how many bytes are on their way through memory, in one direction:
	// four payloads of 64 KiB, and what is larger streams through it.
	ringHolds = 256 << 10
)

// sharedMemory is what a child shares with its parent: a page in which it
// publishes the call that it starts and finds what it is told, and behind that the
// rings, when the two talk through them.
type sharedMemory []byte

// The words of the page.
const (
	startedAt = 0 // the last call that was begun; the child writes it
	spinAt    = 8 // how long the child may poll, in nanoseconds; the parent writes it
)

// sizeOfMemory is with rings or without.
func sizeOfMemory(t Transport) int64 {
	if t == SharedMemory {
		return pageBytes + 2*int64(wire.RingBytes(ringHolds))
	}
	return pageBytes
}

// mapMemory maps all of it.
func mapMemory(fd int) (sharedMemory, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, os.NewSyscallError("fstat", err)
	}
	b, err := unix.Mmap(fd, 0, int(st.Size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	return b, os.NewSyscallError("mmap", err)
}

// unmap gives the mapping back.
func (m sharedMemory) unmap() { _ = unix.Munmap(m) } // cannot fail: it is one

// word is one of the page's.
func (m sharedMemory) word(at int) *atomic.Uint64 { return (*atomic.Uint64)(unsafe.Pointer(&m[at])) }

// hasRings reports whether there are rings behind the page.
func (m sharedMemory) hasRings() bool { return len(m) > pageBytes }

// rings are the memory of the ring towards the child, and of the one from it.
func (m sharedMemory) rings() (there, back []byte) {
	size := wire.RingBytes(ringHolds)
	return m[pageBytes : pageBytes+size], m[pageBytes+size : pageBytes+2*size]
}
