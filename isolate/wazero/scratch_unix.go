//go:build unix

package wazero

import "golang.org/x/sys/unix"

// scratch returns memory that is not of Go's heap, and what gives it back at
// once: a heap that is collected by order only keeps what it has grown to.
func scratch(size int) (b []byte, release func(), err error) {
	b, err = unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return nil, nil, err
	}
	return b, func() { _ = unix.Munmap(b) }, nil // cannot fail for what was mapped
}
