package wazero

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// huge asks for large pages for memory that is about to be written from its
// beginning to its end: each small one would cost a fault, 3 µs of them in a
// virtual machine. It is a hint, which changes nothing else, whosever memory it is.
func huge(b []byte) {
	if len(b) < hugeBytes {
		return
	}
	page := uintptr(os.Getpagesize())
	begin := -uintptr(unsafe.Pointer(unsafe.SliceData(b))) & (page - 1) // to the first whole page
	_ = unix.Madvise(b[begin:], unix.MADV_HUGEPAGE)                     // an error: there are none
}

// hugeBytes is the size from which memory may have large pages in it: that of two,
// where they are of 2 MiB.
const hugeBytes = 4 << 20
