package sandbox

import "golang.org/x/sys/unix"

// A program that root executes has all capabilities again, unless these bits of
// capabilities(7) are set: they are, and locked, where that is permitted.
const (
	secbitNoRoot       = 1 << 0
	secbitNoRootLocked = 1 << 1
	secbitNoFixup      = 1 << 2
	secbitFixupLocked  = 1 << 3
	secbitKeepLocked   = 1 << 5
	secbitNoAmbient    = 1 << 6
	secbitAmbientLock  = 1 << 7
	secbits            = secbitNoRoot | secbitNoRootLocked | secbitNoFixup | secbitFixupLocked | secbitKeepLocked |
		secbitNoAmbient | secbitAmbientLock
)

// dropCapabilities appends the calls after which an exec leaves none. Those of a
// user who is not root go by themselves then, but for the ambient ones.
func (s *script) dropCapabilities(another bool) {
	s.add(Capabilities, "clear ambient capabilities", unix.SYS_PRCTL, unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL)
	if !another {
		s.add(Capabilities, "lock securebits", unix.SYS_PRCTL, unix.PR_SET_SECUREBITS, secbits)
	}
	head := &unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	s.add(Capabilities, "drop capabilities", unix.SYS_CAPSET, keep(s, head), keep(s, &none))
}
