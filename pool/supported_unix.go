//go:build linux || darwin

package pool

import "syscall"

const supported = true

// signalSyscall is how the kernel ends a process for a system call.
const signalSyscall = syscall.SIGSYS
