package takenover

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// These ask the kernel for what it has beside files, sockets and processes. They
// are made so that nothing comes of them where they are allowed.
var _ = add(map[string]func([]string) (string, error){
	"leave namespaces":   call(unix.SYS_UNSHARE, 0),
	"enter a namespace":  call(unix.SYS_SETNS, ^uintptr(0), 0),
	"mount":              call(unix.SYS_MOUNT, 0, 0, 0, unix.MS_BIND, 0),
	"open a file system": call(unix.SYS_FSOPEN, 0, 0),
	"change the root":    call(unix.SYS_CHROOT, slash()),
	"become root":        call(unix.SYS_SETRESUID, 0, 0, 0),
	"executable memory file": func([]string) (string, error) {
		return "", closed(unix.MemfdCreate("taken-over", unix.MFD_CLOEXEC))
	},
	"io_uring":        call(unix.SYS_IO_URING_SETUP, 0, 0),
	"bpf":             call(unix.SYS_BPF, 0, 0, 0),
	"userfaultfd":     call(unix.SYS_USERFAULTFD, 0),
	"perf":            call(unix.SYS_PERF_EVENT_OPEN, 0, 0, 0, 0, 0),
	"keys":            call(unix.SYS_KEYCTL, unix.KEYCTL_GET_KEYRING_ID, 0, 0),
	"shared memory":   call(unix.SYS_SHMGET, 0, 0, 0),
	"message queue":   call(unix.SYS_MQ_OPEN, 0, 0, 0, 0),
	"personality":     call(unix.SYS_PERSONALITY, 0xffff_ffff), // only asks
	"kernel log":      call(unix.SYS_SYSLOG, 10, 0, 0),         // asks for its size
	"another filter":  call(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, 0),
	"filter by prctl": call(unix.SYS_PRCTL, unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, 0),
	"be dumpable":     call(unix.SYS_PRCTL, unix.PR_SET_DUMPABLE, 1),
	"x32":             call(0x4000_0000 | 39), // getpid(2), in the numbers of the x32 ABI
	"unknown call":    call(100_000),
	"more descriptors": func([]string) (string, error) {
		var now unix.Rlimit
		err := unix.Getrlimit(unix.RLIMIT_NOFILE, &now)
		if err == nil {
			err = unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: now.Max, Max: now.Max})
		}
		return "", err
	},
	"more addresses": func([]string) (string, error) {
		all := unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY}
		return "", unix.Setrlimit(unix.RLIMIT_AS, &all)
	},

	"map code": func([]string) (string, error) {
		_, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANON)
		return "", err
	},
	"make code": func([]string) (string, error) {
		p, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
		if err == nil {
			err = unix.Mprotect(p, unix.PROT_READ|unix.PROT_EXEC)
		}
		return "", err
	},
	"make code by a key": func([]string) (string, error) {
		p, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
		if err != nil {
			return "", err
		}
		return call(unix.SYS_PKEY_MPROTECT, uintptr(unsafe.Pointer(&p[0])), 4096, unix.PROT_READ|unix.PROT_EXEC, ^uintptr(0))(nil)
	},
})

// root is a path that ends with a zero.
var root = [2]byte{'/'}

func slash() uintptr { return uintptr(unsafe.Pointer(&root)) }
