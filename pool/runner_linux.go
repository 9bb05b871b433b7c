package pool

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// sealed puts an executable into memory that can never be changed again, and
// returns a path to it that this process can use.
func sealed(executable []byte) (string, error) {
	// Where the kernel has executable memory files forbidden unless they are asked
	// for (vm.memfd_noexec, Linux 6.3), this flag asks; older ones do not know it.
	fd, err := unix.MemfdCreate("wasmpool-runner", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING|unix.MFD_EXEC)
	if err == unix.EINVAL {
		fd, err = unix.MemfdCreate("wasmpool-runner", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	}
	if err != nil {
		return "", os.NewSyscallError("memfd_create", err)
	}
	for rest := executable; len(rest) > 0 && err == nil; {
		var n int
		if n, err = unix.Write(fd, rest); err == nil {
			rest = rest[n:]
		}
	}
	if err == nil {
		const all = unix.F_SEAL_WRITE | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_SEAL
		_, err = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, all)
	}
	if err == nil {
		err = unix.Fchmod(fd, 0o555) // a worker is another user
	}
	if err != nil {
		_ = unix.Close(fd)
		return "", err
	}
	return fmt.Sprintf("/proc/self/fd/%d", fd), nil
}
