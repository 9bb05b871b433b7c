package sandbox

import (
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// signals is how many there are (signal(7)), and a mask a set of them as the
// kernel has it, with a bit for each.
const signals = 64

type mask uint64

// setMask is SIG_SETMASK of sigprocmask(2), on all machines that this is built for.
const setMask = 2

// every signal there is. The kernel passes over those that cannot be masked.
const every = ^mask(0)

// maskSignals holds back signals from this thread, and returns which were held
// back before.
func maskSignals(m mask) (before mask, err error) {
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, setMask, uintptr(unsafe.Pointer(&m)),
		uintptr(unsafe.Pointer(&before)), unsafe.Sizeof(m), 0, 0)
	if errno != 0 {
		return 0, os.NewSyscallError("rt_sigprocmask", errno)
	}
	return before, nil
}

// action is what becomes of a signal: struct sigaction of the kernel, four words
// on all machines that this is built for. The zero action is what is usual.
type action [4]uintptr

// quiet appends the calls after which all signals have their usual effects, and
// none is held back. An exec would leave what is ignored ignored.
func (s *script) quiet() {
	usual := keep(s, new(action))
	for signal := syscall.Signal(1); signal <= signals; signal++ {
		if signal != syscall.SIGKILL && signal != syscall.SIGSTOP { // those have no others
			s.add(layers, "handle no signals", unix.SYS_RT_SIGACTION, uintptr(signal), usual, 0, unsafe.Sizeof(every))
		}
	}
	s.add(layers, "hold back no signals", unix.SYS_RT_SIGPROCMASK, setMask, keep(s, new(mask)), 0, unsafe.Sizeof(every))
}
