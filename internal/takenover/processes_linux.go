package takenover

import (
	"fmt"
	"runtime"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

var _ = add(map[string]func([]string) (string, error){
	"fork": func([]string) (string, error) { return fork(unix.SYS_CLONE, uintptr(syscall.SIGCHLD)) },
	"fork by clone3": func([]string) (string, error) {
		args := [8]uint64{4: uint64(syscall.SIGCHLD)} // struct clone_args
		said, err := fork(unix.SYS_CLONE3, uintptr(unsafe.Pointer(&args)), unsafe.Sizeof(args))
		runtime.KeepAlive(&args)
		return said, err
	},
	"execute": func(args []string) (string, error) { return "", unix.Exec(args[0], args, nil) },
	"fork, execute": func(args []string) (string, error) {
		// The library's own way, which asks for more than the two.
		pid, err := syscall.ForkExec(args[0], args, nil)
		if err != nil {
			return "", err
		}
		var status unix.WaitStatus
		if _, err = unix.Wait4(pid, &status, 0, nil); err == nil && status != 0 {
			err = fmt.Errorf("it ended with status %#x", uint32(status))
		}
		return "", err
	},

	// Signal 0 only asks whether there is somebody who could be sent one.
	"signal the group":  call(unix.SYS_KILL, 0, 0),
	"signal everybody":  call(unix.SYS_KILL, ^uintptr(0), 0),
	"signal":            at(unix.SYS_KILL, func(pid uintptr) []uintptr { return []uintptr{pid, 0} }),
	"signal a thread":   at(unix.SYS_TKILL, func(pid uintptr) []uintptr { return []uintptr{pid, 0} }),
	"signal its thread": at(unix.SYS_TGKILL, func(pid uintptr) []uintptr { return []uintptr{pid, pid, 0} }),
	"hold the process":  at(unix.SYS_PIDFD_OPEN, func(pid uintptr) []uintptr { return []uintptr{pid, 0} }),
	"trace":             at(unix.SYS_PTRACE, func(pid uintptr) []uintptr { return []uintptr{unix.PTRACE_SEIZE, pid, 0, 0} }),
	"compare":           at(unix.SYS_KCMP, func(pid uintptr) []uintptr { return []uintptr{pid, pid, 0, 0, 0} }),
	"change its limits": at(unix.SYS_PRLIMIT64, func(pid uintptr) []uintptr { return []uintptr{pid, unix.RLIMIT_NOFILE, 0, 0} }),
	"read memory": func(args []string) (string, error) {
		var word [1]byte
		local := []unix.Iovec{{Base: &word[0], Len: 1}}
		from := []unix.RemoteIovec{{Base: uintptr(unsafe.Pointer(unsafe.StringData(mark))), Len: 1}}
		_, err := unix.ProcessVMReadv(number(args[0]), local, from, 0)
		return "", err
	},
	"outlive the parent": call(unix.SYS_PRCTL, unix.PR_SET_PDEATHSIG, 0),
	"begin a session":    call(unix.SYS_SETSID),
	"stop": func([]string) (string, error) {
		err := unix.Tgkill(unix.Getpid(), unix.Getpid(), unix.SIGSTOP)
		time.Sleep(50 * time.Millisecond) // other threads may run on for a moment
		return "", err
	},
})

// mark is a place in memory that every process of one program has at the same
// address.
const mark = "taken over"

// fork makes a process that ends at once, and waits for it. What is between the
// two may not grow the stack, nor meet the scheduler.
//
//go:norace
//go:noinline
func fork(number uintptr, args ...uintptr) (string, error) {
	var a [2]uintptr
	copy(a[:], args)
	pid, _, errno := syscall.RawSyscall6(number, a[0], a[1], 0, 0, 0, 0)
	if errno == 0 && pid == 0 {
		for {
			syscall.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
		}
	}
	if errno != 0 {
		return "", errno
	}
	_, err := unix.Wait4(int(pid), nil, 0, nil)
	return "", err
}
