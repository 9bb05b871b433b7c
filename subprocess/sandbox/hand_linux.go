package sandbox

import (
	"math"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// closeOthers is what a kernel before Linux 5.11 cannot do, and what a container
// may refuse.
const closeOthers = "have the exec close what is not handed on"

// lift duplicates the worker's files and the program, so that none is in the
// place of another.
func (b *birth) lift() error {
	for _, f := range append(b.Files[:len(b.Files):len(b.Files)], b.Program) {
		fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, len(b.Files))
		if err != nil {
			b.lower()
			return os.NewSyscallError("fcntl F_DUPFD_CLOEXEC", err)
		}
		b.lifted = append(b.lifted, fd)
	}
	return nil
}

func (b *birth) lower() {
	for _, fd := range b.lifted {
		_ = unix.Close(fd)
	}
}

// hand appends the calls that leave the worker its files, and nothing else but
// the program until that is executed, whose descriptor it returns.
func (b *birth) hand(s *script) (program uintptr, err error) {
	program = uintptr(b.lifted[len(b.Files)])
	if b.alone {
		s.add(layers, closeOthers, unix.SYS_CLOSE_RANGE, uintptr(len(b.Files)), math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC)
	} else {
		open, err := unmarked(len(b.Files))
		if err != nil {
			return 0, err
		}
		for _, fd := range open {
			// Something that the exec closes takes its place. To close it could fail: it
			// may be closed by now.
			s.add(layers, "replace a descriptor", unix.SYS_DUP3, program, uintptr(fd), unix.O_CLOEXEC)
		}
	}
	for i := range b.Files {
		s.add(layers, "hand on a file", unix.SYS_DUP3, uintptr(b.lifted[i]), uintptr(i), 0)
	}
	return program, nil
}

// unmarked are the descriptors from some number on that an exec would not close:
// what this program was started with, or C code has opened. None of Go's comes to
// be without the mark, but for a moment in which this lock is held.
func unmarked(from int) (fds []int, err error) {
	syscall.ForkLock.Lock()
	defer syscall.ForkLock.Unlock()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		fd, err := strconv.Atoi(e.Name())
		if err != nil || fd < from {
			continue
		}
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
			fds = append(fds, fd)
		}
	}
	return fds, nil
}
