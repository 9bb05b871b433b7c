package sandbox

import (
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mask is a set of signals as the kernel has it: a bit for each of the 64
// (signal(7)).
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

// action is what becomes of a signal: struct sigaction of the kernel, of which
// only the handler matters here.
type action struct {
	handler uintptr // 0: what is usual; 1: nothing
	rest    [3]uintptr
}

// quiet appends the calls after which the signals that this program handles have
// their usual effects, as after an exec, and none is held back.
func (s *script) quiet() {
	usual := keep(s, new(action))
	for signal := syscall.Signal(1); signal <= 64; signal++ {
		var now action
		_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(signal), 0, uintptr(unsafe.Pointer(&now)), unsafe.Sizeof(every), 0, 0)
		if errno == 0 && now.handler > 1 {
			s.add(layers, "handle no signals", unix.SYS_RT_SIGACTION, uintptr(signal), usual, 0, unsafe.Sizeof(every))
		}
	}
	s.add(layers, "hold back no signals", unix.SYS_RT_SIGPROCMASK, setMask, keep(s, new(mask)), 0, unsafe.Sizeof(every))
}
