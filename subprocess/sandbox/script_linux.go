package sandbox

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// call is a system call that is prepared before it is made, for a process that
// can do nothing else: after a fork, a Go program has one thread and no
// scheduler, collector or locks that it could rely on.
type call struct {
	layer  Layer  // that is off when it fails
	what   string // it does, for people
	number uintptr
	args   [6]uintptr
	takes  int // the argument, from 1, that is the result of the call before; 0: none
}

// script is the life of a forked process: system calls, one after the other,
// until one fails. The last is the one that executes a program.
type script struct {
	calls []call
	kept  []any // what pointers in arguments point to
	died  death // where it ended; written by the forked process
}

// death is how a script's process ended before it executed anything.
type death struct{ at, errno uint64 }

// add appends a call. Pointers among its arguments are those that the script keeps.
func (s *script) add(l Layer, what string, number uintptr, args ...uintptr) *call {
	c := call{layer: l, what: what, number: number}
	copy(c.args[:], args)
	s.calls = append(s.calls, c)
	return &s.calls[len(s.calls)-1]
}

// text keeps a string, and returns where it is, with a zero behind it.
func (s *script) text(t string) uintptr {
	b := append([]byte(t), 0)
	s.kept = append(s.kept, b)
	return uintptr(unsafe.Pointer(&b[0]))
}

// texts keeps strings, and returns where pointers to them are, with nil behind
// them.
func (s *script) texts(ts []string) uintptr {
	ps := make([]uintptr, len(ts)+1)
	for i, t := range ts {
		ps[i] = s.text(t)
	}
	s.kept = append(s.kept, ps)
	return uintptr(unsafe.Pointer(&ps[0]))
}

// keep keeps a value, and returns where it is.
func keep[T any](s *script, v *T) uintptr {
	s.kept = append(s.kept, v)
	return uintptr(unsafe.Pointer(v))
}

// write appends the calls that write a file.
func (s *script) write(l Layer, path, text string) {
	s.add(l, "open "+path, unix.SYS_OPENAT, fromHere(), s.text(path), unix.O_WRONLY|unix.O_CLOEXEC)
	s.add(l, "write "+path, unix.SYS_WRITE, 0, s.text(text), uintptr(len(text))).takes = 1
}

// fromHere makes a path one that begins in the working directory, where a call
// asks for a descriptor: AT_FDCWD, which is negative, as an argument.
func fromHere() uintptr {
	fd := unix.AT_FDCWD
	return uintptr(fd)
}

// callError is a call of a script that failed.
type callError struct {
	call  call
	errno syscall.Errno
}

func (e *callError) Error() string { return fmt.Sprintf("%s: %v", e.call.what, e.errno) }
func (e *callError) Unwrap() error { return e.errno }

// run clones this process, with some flags of clone(2), and has the clone live
// the script. It returns the clone's process id once that executes a program. An
// error of the script is a *[callError], and nothing is left of its process
// then, but for its exit status, which belongs to this process's parent where
// the flags say so.
func (s *script) run(flags uintptr) (pid int, err error) {
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC); err != nil {
		return 0, os.NewSyscallError("pipe2", err)
	}
	defer unix.Close(ends[0])
	pid, errno := s.fork(flags|uintptr(syscall.SIGCHLD), ends[1])
	_ = unix.Close(ends[1]) // the clone has its own
	if errno != 0 {
		return 0, &callError{call{what: "clone", layer: layers}, errno}
	}
	// The clone's end closes when it executes a program, or ends.
	var d death
	buf := unsafe.Slice((*byte)(unsafe.Pointer(&d)), unsafe.Sizeof(d))
	for {
		n, err := unix.Read(ends[0], buf)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return 0, os.NewSyscallError("read", err)
		case n == 0:
			return pid, nil
		case n != len(buf) || d.at >= uint64(len(s.calls)):
			return 0, fmt.Errorf("sandbox: a clone died with %d bytes to say", n)
		}
		return 0, &callError{s.calls[d.at], syscall.Errno(d.errno)}
	}
}

// fork clones this process. The clone, in which fork does not return, calls
// nothing but raw system calls: they neither grow the stack nor meet the
// scheduler. Nothing may be put into its loop that does.
//
//go:norace
//go:noinline
func (s *script) fork(flags uintptr, report int) (pid int, errno syscall.Errno) {
	r, _, errno := syscall.RawSyscall6(syscall.SYS_CLONE, flags, 0, 0, 0, 0, 0)
	if errno != 0 || r != 0 {
		runtime.KeepAlive(s)
		return int(r), errno
	}
	var last uintptr
	for i := range s.calls {
		c := &s.calls[i]
		a := c.args
		if c.takes > 0 && c.takes <= len(a) {
			a[c.takes-1] = last
		}
		last, _, errno = syscall.RawSyscall6(c.number, a[0], a[1], a[2], a[3], a[4], a[5])
		if errno != 0 {
			s.died = death{uint64(i), uint64(errno)}
			syscall.RawSyscall6(syscall.SYS_WRITE, uintptr(report), uintptr(unsafe.Pointer(&s.died)), unsafe.Sizeof(s.died), 0, 0, 0)
			break
		}
	}
	for {
		syscall.RawSyscall6(syscall.SYS_EXIT_GROUP, 1, 0, 0, 0, 0, 0)
	}
}
