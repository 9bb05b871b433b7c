//go:build linux || darwin

package subprocess

import (
	"fmt"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/wasmpool/wasmpool/subprocess/sandbox"
)

// The descriptors of a child, beside the standard ones.
const (
	socketFD   = 3
	memoryFD   = 4
	handoverFD = 5
)

// planned is the environment variable that tells a child what its wall is to be.
const planned = "WASMPOOL_SANDBOX"

// inherit takes what the parent left to this process, if it is a child, and
// confines it.
func inherit() (surroundings, bool) {
	if os.Getenv(handshake) == "" || !isSocket(socketFD) {
		return surroundings{}, false
	}
	plan, err := sandbox.ParsePlan(os.Getenv(planned))
	if err != nil {
		fail("sandbox", err)
	}
	_, _ = os.Unsetenv(handshake), os.Unsetenv(planned) // cannot fail for names like these
	syscall.CloseOnExec(socketFD)
	syscall.CloseOnExec(handoverFD)
	closeInherited()
	l, err := newChildSocket(socketFD)
	if err != nil {
		fail("socket", err)
	}
	a, err := newKernelAlarm()
	if err != nil {
		fail("alarm", err)
	}
	memory, err := mapMemory(memoryFD)
	if err != nil {
		fail("memory", err)
	}
	_ = syscall.Close(memoryFD) // the mapping stays
	w, report := sandbox.Confine(plan)
	return surroundings{
		line: newChildLine(l, memory), alarm: a, publish: memory.word(startedAt).Store, exit: os.Exit, report: report,
		receive: func(some bool) (*os.File, error) { return takeFile(handoverFD, some) }, seal: w.Seal, limit: w.LimitAddresses,
	}, true
}

// fail ends a child that cannot serve; its last words reach the parent.
func fail(what string, err error) {
	fmt.Fprintf(os.Stderr, "subprocess: child: %s: %v\n", what, err)
	os.Exit(exitOrphaned)
}

func isSocket(fd int) bool {
	var st unix.Stat_t
	return unix.Fstat(fd, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFSOCK
}

// closeInherited closes every descriptor above those of the handshake that
// came from outside: all that this program has opened since are marked to be
// closed by an exec, and so those without that mark came through one.
func closeInherited() {
	entries, err := os.ReadDir("/dev/fd")
	if err != nil {
		return // no such directory here: nothing more can be known
	}
	for _, e := range entries {
		fd, err := strconv.Atoi(e.Name())
		if err != nil || fd <= handoverFD {
			continue
		}
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
			_ = syscall.Close(fd)
		}
	}
}
