package sandbox

import (
	"errors"
	"fmt"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// script is the life of a clone: system calls that are prepared before, made one
// after the other until one fails. The last is the one that executes a program.
// A clone of a Go program can do nothing else: it has one thread and no
// scheduler, collector or locks that it could rely on, and it uses the memory of
// the one who cloned it.
type script struct {
	steps   []step
	notes   []note // one for each step
	kept    runtime.Pinner
	becomes bool  // somebody else
	died    death // where it ended; written by the clone
}

// step is a system call as the clone reads it: seven words, and which of them,
// if not the first, becomes the result of the step before.
type step struct {
	number uintptr
	args   [6]uintptr
	takes  uintptr
}

// note is what a step does, for people, and the layer that is off when it fails.
type note struct {
	layer Layer
	what  string
}

// death is how a script ended before it executed anything: with how many steps
// to go, and why.
type death struct{ left, errno uintptr }

// add appends a system call. Pointers among its arguments are those that the
// script keeps.
func (s *script) add(l Layer, what string, number uintptr, args ...uintptr) *step {
	c := step{number: number}
	copy(c.args[:], args)
	s.steps, s.notes = append(s.steps, c), append(s.notes, note{l, what})
	return &s.steps[len(s.steps)-1]
}

// text keeps a string, and returns where it is, with a zero behind it.
func (s *script) text(t string) uintptr {
	return keep(s, &append([]byte(t), 0)[0])
}

// texts keeps strings, and returns where pointers to them are, with nil behind
// them.
func (s *script) texts(ts []string) uintptr {
	ps := make([]uintptr, len(ts)+1)
	for i, t := range ts {
		ps[i] = s.text(t)
	}
	return keep(s, &ps[0])
}

// keep keeps a value, and returns where it is.
func keep[T any](s *script, v *T) uintptr {
	s.kept.Pin(v)
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

// stepError is a step of a script that failed.
type stepError struct {
	note
	errno syscall.Errno
}

func (e *stepError) Error() string { return fmt.Sprintf("%s: %v", e.what, e.errno) }
func (e *stepError) Unwrap() error { return e.errno }

// passing reports whether an error is for want of something that there may be in
// a moment: processes, memory, descriptors. No layer is to blame for that, and
// none is given up: who fills this program's descriptors must not take down walls.
func passing(err error) bool {
	return errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.ENOMEM) || errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE)
}

// run clones this process, with some flags of clone(2), and has the clone live
// the script. It returns the clone's process id once that executes a program. An
// error is a *[stepError], and nothing is left of the clone then.
//
// The calling thread stands still meanwhile, as vfork(2) has it; that is what
// makes the price of a clone independent of this program's memory. No signal is
// handled in the clone: its handlers would be this program's, in its memory. Two
// scripts of a program must not run at once.
func (s *script) run(flags uintptr) (pid int, err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	dumpable, _ := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	before, err := maskSignals(every)
	if err != nil {
		return 0, err
	}
	id, errno := vfork(flags|unix.CLONE_VM|unix.CLONE_VFORK|uintptr(syscall.SIGCHLD), &s.steps[0], uintptr(len(s.steps)), &s.died)
	if _, err := maskSignals(before); err != nil {
		panic("bug: sandbox: " + err.Error()) // it could be set before
	}
	if s.becomes && dumpable == 1 {
		// A clone that becomes somebody else takes that from the memory that both
		// use. An error: it still has it.
		_ = unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0)
	}
	switch {
	case errno != 0:
		return 0, &stepError{note{what: "clone", layer: layers}, syscall.Errno(errno)}
	case s.died.errno != 0:
		reap(int(id))
		return 0, &stepError{s.notes[len(s.notes)-int(s.died.left)], syscall.Errno(s.died.errno)}
	}
	return int(id), nil
}

// vfork clones the calling thread into a process that makes system calls and
// returns its process id once that executes a program or ends. It is written in
// assembly: between the clone and that moment two threads have one stack, and
// nothing may be written there.
//
//go:noescape
func vfork(flags uintptr, first *step, steps uintptr, died *death) (pid, errno uintptr)

// reap waits for a clone that has ended. If somebody else was faster, all the
// better.
func reap(pid int) {
	for {
		if _, err := unix.Wait4(pid, nil, 0, nil); err != unix.EINTR {
			return
		}
	}
}
