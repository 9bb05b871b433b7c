package sandbox

import (
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What Landlock can refuse, by the version of its interface that brought it
// (landlock(7), "VERSIONS").
const (
	landlockReads  = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR
	landlockWrites = unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_REMOVE_DIR | unix.LANDLOCK_ACCESS_FS_REMOVE_FILE |
		unix.LANDLOCK_ACCESS_FS_MAKE_DIR | unix.LANDLOCK_ACCESS_FS_MAKE_REG
	landlockFiles1 = landlockReads | landlockWrites | unix.LANDLOCK_ACCESS_FS_EXECUTE |
		unix.LANDLOCK_ACCESS_FS_MAKE_CHAR | unix.LANDLOCK_ACCESS_FS_MAKE_SOCK | unix.LANDLOCK_ACCESS_FS_MAKE_FIFO |
		unix.LANDLOCK_ACCESS_FS_MAKE_BLOCK | unix.LANDLOCK_ACCESS_FS_MAKE_SYM
	landlockFiles2 = unix.LANDLOCK_ACCESS_FS_REFER
	landlockFiles3 = unix.LANDLOCK_ACCESS_FS_TRUNCATE
	landlockNet4   = unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
	landlockFiles5 = unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	landlockScope6 = unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | unix.LANDLOCK_SCOPE_SIGNAL
)

// ruleset is what Landlock is to allow.
type ruleset struct {
	fd    int
	files uint64 // what is refused where no rule allows it
}

// newRuleset returns a ruleset that allows nothing. An old kernel refuses less;
// the least that counts is files.
func newRuleset() (*ruleset, error) {
	version, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	switch errno {
	case 0:
	case unix.ENOSYS:
		return nil, errors.New("this kernel has no Landlock: Linux 5.13 or later is needed")
	case unix.EOPNOTSUPP:
		return nil, errors.New("this kernel has Landlock turned off: add it to the boot parameter lsm=")
	default:
		return nil, fmt.Errorf("landlock_create_ruleset: %w", errno)
	}
	attr := unix.LandlockRulesetAttr{Handled_access_fs: landlockFiles1}
	size := unsafe.Sizeof(attr.Handled_access_fs)
	if version >= 2 {
		attr.Handled_access_fs |= landlockFiles2
	}
	if version >= 3 {
		attr.Handled_access_fs |= landlockFiles3
	}
	if version >= 4 {
		attr.Handled_access_net, size = landlockNet4, unsafe.Offsetof(attr.Scoped)
	}
	if version >= 5 {
		attr.Handled_access_fs |= landlockFiles5
	}
	if version >= 6 {
		attr.Scoped, size = landlockScope6, unsafe.Offsetof(attr.Scoped)+unsafe.Sizeof(attr.Scoped)
	}
	fd, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), size, 0)
	if errno != 0 {
		return nil, fmt.Errorf("landlock_create_ruleset: %w", errno)
	}
	return &ruleset{fd: int(fd), files: attr.Handled_access_fs}, nil
}

// allow allows some access to a file, or to a directory and all below it.
func (r *ruleset) allow(fd int, access uint64) error {
	rule := unix.LandlockPathBeneathAttr{Allowed_access: access & r.files, Parent_fd: int32(fd)}
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(r.fd), unix.LANDLOCK_RULE_PATH_BENEATH,
		uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
	if errno != 0 {
		return fmt.Errorf("landlock_add_rule: %w", errno)
	}
	return nil
}

func (r *ruleset) allowDir(path string, access uint64) error {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	if err := r.allow(fd, access); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// close closes the ruleset; a nil one is none.
func (r *ruleset) close() {
	if r != nil {
		_ = unix.Close(r.fd)
	}
}

// landlock makes the ruleset for a plan: the program may be executed, its
// libraries read, and the granted directories used.
func landlock(program *os.File, libraries, granted []Dir) (*ruleset, error) {
	r, err := newRuleset()
	if err != nil {
		return nil, err
	}
	const run = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE
	errs := []error{r.allow(int(program.Fd()), run)}
	if errors.Is(errs[0], unix.EBADFD) {
		errs[0] = nil // a file in memory: Landlock does not hold it back
	}
	for _, d := range libraries {
		errs = append(errs, r.allowDir(d.Path, run|landlockReads))
	}
	for _, d := range granted {
		access := uint64(landlockReads)
		if d.Writable {
			access |= landlockWrites | landlockFiles2 | landlockFiles3
		}
		errs = append(errs, r.allowDir(d.Path, access))
	}
	if err := errors.Join(errs...); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}
