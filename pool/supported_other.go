//go:build !linux && !darwin

package pool

import "syscall"

// supported says whether workers can be started here: their end with this
// process's own is kept by what Linux and macOS have.
const supported = false

// signalSyscall is a signal that is never sent here.
const signalSyscall = syscall.Signal(-1)
