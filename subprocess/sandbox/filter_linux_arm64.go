package sandbox

import "golang.org/x/sys/unix"

const (
	auditArch = unix.AUDIT_ARCH_AARCH64

	// foreignNumbers are none: there is one numbering.
	foreignNumbers = 0

	// newestNumber is that of file_setattr, of Linux 6.17.
	newestNumber = 469
)

// legacy are calls of older architectures; there are none here.
var legacyOpen, legacyReading, legacyServes, legacyKills []uintptr
