package sandbox

import (
	"fmt"
	"os"
	"strings"
	"syscall"
)

// choose decides how a worker is made somebody else. A user that root becomes
// needs no user namespace, but has to be able to execute the program, and to use
// what is granted.
func (b *birth) choose(apart bool) {
	if b.owned || !b.wants(User) {
		return
	}
	if info, err := b.Program.Stat(); err == nil && info.Mode()&0o001 == 0 {
		b.owned = apart // a namespace of root's, then
		if !b.owned {
			b.report.fail(User, "the program's file has mode %v, and other users cannot execute it: chmod o+x", info.Mode().Perm())
		}
	}
	if !b.owned && traceable() {
		b.owned = apart
		if !b.owned {
			b.report.fail(User, "the sysctl fs.suid_dumpable is 1, which would let its like into this program's memory while it starts")
		}
	}
	if len(b.Plan.Dirs) > 0 && !b.owned {
		// What is granted is this user's to use: another user might have no right to.
		b.owned = apart
		if !b.owned {
			b.report.fail(User, "it is granted directories that are this user's, and there are no namespaces")
		}
	}
}

// traceable reports whether a process that has become another user may be traced
// by that user: proc_sys_fs(5), "suid_dumpable".
func traceable() bool {
	set, err := os.ReadFile("/proc/sys/fs/suid_dumpable")
	return err == nil && strings.TrimSpace(string(set)) == "1"
}

// refusal says why this machine has no namespaces for a worker, and what would
// help (user_namespaces(7), and what Debian, Ubuntu and containers add to it).
func refusal(errno syscall.Errno) string {
	help := map[syscall.Errno]string{
		syscall.EPERM:  "; to allow them: sysctl kernel.unprivileged_userns_clone=1 (Debian), kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu), or another seccomp profile of a container",
		syscall.ENOSPC: "; to allow more of them: sysctl user.max_user_namespaces and its like",
		syscall.EINVAL: "; to have them: a kernel built with CONFIG_USER_NS, CONFIG_PID_NS and CONFIG_NET_NS",
	}[errno]
	return fmt.Sprintf("this machine refuses namespaces (clone: %v)%s", errno, help)
}

// blame notes which layers cannot be had because a call failed, and reports
// whether another attempt without them makes sense.
func (b *birth) blame(failed *stepError) bool {
	before := b.report.On()
	switch {
	case failed.what == "clone":
		if !b.owned && os.Geteuid() == 0 {
			b.owned = true // perhaps as a user without privileges would
			return true
		}
		why := refusal(failed.errno)
		for l := range namespaces {
			b.report.fail(l, "%s", why)
		}
		if os.Geteuid() == 0 {
			b.owned = false
		} else {
			b.report.fail(User, "%s", why)
		}
	case failed.what == closeOthers:
		b.alone = false
		return true
	case failed.what == exchange && failed.errno == syscall.EINVAL:
		b.fixed = true // should that fail too, it is another call
		return true
	case failed.what == "change the user" || failed.what == "change the group":
		if b.stranger = b.stranger[1:]; len(b.stranger) > 0 {
			return true
		}
		b.report.fail(User, "%v", failed)
	case failed.layer == User && b.owned:
		for l := range namespaces {
			b.report.fail(l, "%v", failed) // they need it
		}
		b.report.fail(User, "%v", failed)
	case failed.layer == NoNewPrivs:
		b.report.fail(NoNewPrivs, "%v", failed)
		b.report.fail(Landlock, "it needs no_new_privs: %v", failed)
	case failed.layer < layers:
		b.report.fail(failed.layer, "%v", failed)
	}
	return b.report.On() != before
}
