package sandbox

import (
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// probes try what a layer must refuse, from inside a worker. Each returns what
// it could do, or nothing when it was refused. They are made so that no other
// layer refuses them first, in the order in which Confine runs them. Layers
// without one are read from outside; see Watch.
var probes = [layers]func(Plan) string{
	PID:          probePID,
	Net:          probeNet,
	Root:         probeRoot,
	Capabilities: probeCapabilities,
	NoNewPrivs:   probeNoNewPrivs,
	Landlock:     probeLandlock,
	Limits:       probeLimits,
	Opaque:       probeOpaque,
	Syscalls:     probeSyscalls,
}

// probePID signals every process that can be seen: from inside a namespace of
// its own there is none.
func probePID(_ Plan) string {
	if parent := os.Getppid(); parent != 0 {
		return fmt.Sprintf("it sees its parent, process %d", parent)
	}
	if err := unix.Kill(-1, 0); err == nil {
		return "it may signal other processes"
	}
	return ""
}

// probeNet finds a way to the machine itself, by a socket that sends nothing.
func probeNet(_ Plan) string {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return ""
	}
	defer unix.Close(fd)
	if err := unix.Connect(fd, &unix.SockaddrInet4{Port: 9, Addr: [4]byte{127, 0, 0, 1}}); err == nil {
		return "it has a way to 127.0.0.1"
	}
	return ""
}

// probeRoot looks for what every system has.
func probeRoot(_ Plan) string {
	for _, path := range []string{"/proc/self", "/etc", "/sys", "/home", "/bin/sh", "/tmp"} {
		var st unix.Stat_t
		// Landlock does not hide what there is: stat(2) is not among its rights.
		if err := unix.Lstat(path, &st); err == nil && !fromLibraries(path) {
			return "it sees " + path
		}
	}
	return ""
}

// fromLibraries reports whether a path is there because of a dynamically linked
// program, whose libraries are shown.
func fromLibraries(path string) bool {
	for _, dir := range libraries {
		if path == dir {
			return true
		}
	}
	return false
}

func probeCapabilities(_ Plan) string {
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&head, &data[0]); err != nil {
		return fmt.Sprintf("capget: %v", err)
	}
	for _, d := range data {
		if d.Effective|d.Permitted|d.Inheritable != 0 {
			return fmt.Sprintf("it has capabilities: %08x %08x", data[1].Permitted, data[0].Permitted)
		}
	}
	return ""
}

func probeNoNewPrivs(_ Plan) string {
	if set, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); err != nil || set != 1 {
		return fmt.Sprintf("no_new_privs is %d (%v)", set, err)
	}
	return ""
}

// probeLandlock lists the root, which is there whatever else holds.
func probeLandlock(_ Plan) string {
	fd, err := unix.Open("/", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.EACCES) {
		return ""
	}
	if err != nil {
		return fmt.Sprintf("listing / fails with %v, and not for Landlock", err)
	}
	_ = unix.Close(fd)
	return "it may list /"
}

func probeLimits(plan Plan) string {
	for _, l := range fixedLimits(plan.FileBytes) {
		var now unix.Rlimit
		if err := unix.Getrlimit(l.which, &now); err != nil || now.Max > l.most {
			return fmt.Sprintf("the limit of %s is %d, want %d (%v)", l.what, now.Max, l.most, err)
		}
	}
	return ""
}

func probeOpaque(_ Plan) string {
	if d, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); err != nil || d != 0 {
		return fmt.Sprintf("it is dumpable (%d, %v)", d, err)
	}
	return ""
}

// probeSyscalls makes a socket: no other layer minds that. Where that is deadly
// it asks for clone3(2), without arguments: behind the filter there is no such
// call.
func probeSyscalls(plan Plan) string {
	if plan.Deadly {
		if _, _, errno := unix.Syscall(unix.SYS_CLONE3, 0, 0, 0); errno != unix.ENOSYS {
			return fmt.Sprintf("it may call clone3: %v", errno)
		}
		return ""
	}
	var fds [2]int32
	_, _, errno := unix.Syscall6(unix.SYS_SOCKETPAIR, unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0,
		uintptr(unsafe.Pointer(&fds)), 0, 0)
	if errno != 0 {
		return ""
	}
	_ = unix.Close(int(fds[0]))
	_ = unix.Close(int(fds[1]))
	return "it may make sockets"
}
