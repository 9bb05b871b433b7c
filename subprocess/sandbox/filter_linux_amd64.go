package sandbox

import "golang.org/x/sys/unix"

const (
	auditArch = unix.AUDIT_ARCH_X86_64

	// foreignNumbers are those of the x32 ABI: other calls, under other numbers.
	foreignNumbers = 0x4000_0000

	// newestNumber is that of file_setattr, of Linux 6.17.
	newestNumber = 469
)

// legacy are calls that later architectures have under another name only. Some C
// libraries use them.
var (
	legacyOpen    = []uintptr{unix.SYS_OPEN}
	legacyReading = []uintptr{unix.SYS_STAT, unix.SYS_LSTAT, unix.SYS_READLINK, unix.SYS_ACCESS}
	legacyServes  = []uintptr{unix.SYS_POLL, unix.SYS_EPOLL_WAIT, unix.SYS_TIME, unix.SYS_ARCH_PRCTL}
	legacyKills   = []uintptr{
		unix.SYS_FORK, unix.SYS_VFORK, unix.SYS_IOPERM, unix.SYS_IOPL, unix.SYS_MODIFY_LDT, unix.SYS_USELIB,
		unix.SYS_CREATE_MODULE, unix.SYS__SYSCTL, unix.SYS_USTAT, unix.SYS_SYSFS,
	}
)
