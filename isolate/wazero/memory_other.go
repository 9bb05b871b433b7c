//go:build !unix

package wazero

import "github.com/tetratelabs/wazero/experimental"

// memories allocates the linear memory of one instance from Go's heap, which
// keeps what it has until a collection.
type memories struct {
	most  uint64 // of bytes that it may become, whatever the module declares; 0: no bound
	bytes []byte
	limit uint64
	err   error
}

// Allocate implements [experimental.MemoryAllocator].
func (m *memories) Allocate(_, limit uint64) experimental.LinearMemory {
	m.limit = limit
	if m.most > 0 {
		m.limit = min(limit, m.most)
	}
	return m
}

// Reallocate implements [experimental.LinearMemory]. nil means that it cannot.
func (m *memories) Reallocate(size uint64) []byte {
	if size > m.limit {
		return nil
	}
	if size > uint64(cap(m.bytes)) {
		grown := make([]byte, size, max(size, min(m.limit, 2*uint64(cap(m.bytes)))))
		copy(grown, m.bytes)
		m.bytes = grown
	}
	m.bytes = m.bytes[:size]
	return m.bytes
}

// Free implements [experimental.LinearMemory].
func (m *memories) Free() {}

// release lets the memory go. No guest may run.
func (m *memories) release() { m.bytes = nil }
