package sandbox

import "golang.org/x/sys/unix"

// threadFlags are what a clone has that is a thread of the same process.
const threadFlags = unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_SIGHAND | unix.CLONE_THREAD

// freshFlags are the flags of a clone that begin something new.
const freshFlags = unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC |
	unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_PTRACE

// serving are the system calls of a Go program that computes and talks through
// what it has open: of the runtime, of its network poller, of this library, and
// of the C library of a program that is linked with cgo.
var serving = []uintptr{
	unix.SYS_FUTEX, unix.SYS_READ, unix.SYS_WRITE, unix.SYS_READV, unix.SYS_WRITEV, unix.SYS_SENDMSG, unix.SYS_SENDTO, unix.SYS_EPOLL_PWAIT, unix.SYS_EPOLL_PWAIT2,
	unix.SYS_NANOSLEEP, unix.SYS_CLOCK_NANOSLEEP, unix.SYS_SCHED_YIELD, unix.SYS_PPOLL, unix.SYS_MADVISE, unix.SYS_MUNMAP,
	unix.SYS_EPOLL_CTL, unix.SYS_EPOLL_CREATE1, unix.SYS_EVENTFD2, unix.SYS_CLOSE, unix.SYS_FCNTL, unix.SYS_FSTAT,
	unix.SYS_LSEEK, unix.SYS_SHUTDOWN, unix.SYS_RT_SIGPROCMASK, unix.SYS_RT_SIGRETURN, unix.SYS_RT_SIGACTION, unix.SYS_SIGALTSTACK,
	unix.SYS_GETPID, unix.SYS_GETTID, unix.SYS_GETPPID, unix.SYS_GETUID, unix.SYS_GETEUID, unix.SYS_GETGID, unix.SYS_GETEGID,
	unix.SYS_EXIT, unix.SYS_EXIT_GROUP, unix.SYS_RESTART_SYSCALL,
	unix.SYS_GETRANDOM, unix.SYS_CLOCK_GETTIME, unix.SYS_CLOCK_GETRES, unix.SYS_GETTIMEOFDAY, unix.SYS_SCHED_GETAFFINITY,
	unix.SYS_SET_ROBUST_LIST, unix.SYS_RSEQ, unix.SYS_UNAME, unix.SYS_GETRUSAGE, unix.SYS_MINCORE,
}

// reading are those that find and read files; writing, those that change them.
// Which files there are is the matter of other layers.
var (
	reading = []uintptr{
		unix.SYS_NEWFSTATAT, unix.SYS_STATX, unix.SYS_READLINKAT, unix.SYS_GETDENTS64, unix.SYS_PREAD64, unix.SYS_FACCESSAT,
		unix.SYS_FACCESSAT2, unix.SYS_FSTATFS, unix.SYS_FADVISE64, unix.SYS_GETCWD,
	}
	writing = []uintptr{
		unix.SYS_MKDIRAT, unix.SYS_UNLINKAT, unix.SYS_RENAMEAT, unix.SYS_RENAMEAT2, unix.SYS_FTRUNCATE, unix.SYS_FSYNC,
		unix.SYS_FDATASYNC, unix.SYS_PWRITE64, unix.SYS_UTIMENSAT, unix.SYS_FALLOCATE, unix.SYS_FCHMOD, unix.SYS_FCHMODAT,
	}
)

// escapes are what only somebody calls who wants out: no honest code of a worker
// tries them, and the first try ends it.
var escapes = []uintptr{
	unix.SYS_EXECVE, unix.SYS_EXECVEAT, unix.SYS_PTRACE, unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV,
	unix.SYS_PROCESS_MADVISE, unix.SYS_KCMP, unix.SYS_PIDFD_OPEN, unix.SYS_PIDFD_GETFD, unix.SYS_PIDFD_SEND_SIGNAL,
	unix.SYS_KILL, unix.SYS_TKILL, unix.SYS_RT_SIGQUEUEINFO, unix.SYS_RT_TGSIGQUEUEINFO,
	unix.SYS_UNSHARE, unix.SYS_SETNS, unix.SYS_CHROOT, unix.SYS_PIVOT_ROOT, unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_MOVE_MOUNT,
	unix.SYS_OPEN_TREE, unix.SYS_FSOPEN, unix.SYS_FSMOUNT, unix.SYS_FSCONFIG, unix.SYS_FSPICK, unix.SYS_MOUNT_SETATTR,
	unix.SYS_NAME_TO_HANDLE_AT, unix.SYS_OPEN_BY_HANDLE_AT,
	unix.SYS_SETUID, unix.SYS_SETGID, unix.SYS_SETREUID, unix.SYS_SETREGID, unix.SYS_SETRESUID, unix.SYS_SETRESGID,
	unix.SYS_SETGROUPS, unix.SYS_SETFSUID, unix.SYS_SETFSGID, unix.SYS_CAPSET, unix.SYS_SETSID, unix.SYS_SETPGID,
	unix.SYS_MEMFD_CREATE, unix.SYS_MEMFD_SECRET, unix.SYS_USERFAULTFD, unix.SYS_PKEY_MPROTECT, unix.SYS_REMAP_FILE_PAGES,
	unix.SYS_IO_URING_SETUP, unix.SYS_IO_URING_ENTER, unix.SYS_IO_URING_REGISTER, unix.SYS_BPF, unix.SYS_PERF_EVENT_OPEN,
	unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY, unix.SYS_KEYCTL, unix.SYS_PERSONALITY,
	unix.SYS_INIT_MODULE, unix.SYS_FINIT_MODULE, unix.SYS_DELETE_MODULE, unix.SYS_KEXEC_LOAD, unix.SYS_REBOOT,
	unix.SYS_SWAPON, unix.SYS_SWAPOFF, unix.SYS_ACCT, unix.SYS_QUOTACTL, unix.SYS_SETHOSTNAME, unix.SYS_SETDOMAINNAME,
	unix.SYS_SETTIMEOFDAY, unix.SYS_CLOCK_SETTIME, unix.SYS_ADJTIMEX, unix.SYS_CLOCK_ADJTIME, unix.SYS_SYSLOG, unix.SYS_VHANGUP,
	unix.SYS_SHMGET, unix.SYS_SHMAT, unix.SYS_SEMGET, unix.SYS_MSGGET, unix.SYS_MQ_OPEN, unix.SYS_LANDLOCK_CREATE_RULESET,
}

// policy is what a filter is made for.
type policy struct {
	files  bool // files may be opened
	writes bool // and changed
	sealed bool // no new machine code, no further filter
	deadly bool // what is not foreseen ends the worker
	pid    int  // this process's own
}

// rules are the filter of a policy, what is called most first.
func (p policy) rules() []rule {
	refuse := verdictRefuse
	if p.deadly {
		refuse = verdictKill
	}
	rs := always(verdictAllow, serving)
	rs = append(rs, always(verdictAllow, legacyServes)...)

	const code = unix.PROT_EXEC
	memory := clause{[]condition{has(3, unix.MAP_ANONYMOUS)}, verdictAllow}
	if p.sealed {
		rs = append(rs,
			rule{unix.SYS_MMAP, []clause{{[]condition{has(2, code)}, verdictKill}, memory}, refuse},
			rule{unix.SYS_MPROTECT, []clause{{[]condition{has(2, code)}, verdictKill}}, verdictAllow},
			rule{number: unix.SYS_SECCOMP, or: verdictKill})
	} else {
		rs = append(rs,
			rule{unix.SYS_MMAP, []clause{memory}, refuse},
			rule{number: unix.SYS_MPROTECT, or: verdictAllow},
			rule{number: unix.SYS_RECVMSG, or: verdictAllow}, // the file that goes with the module comes by it
			rule{unix.SYS_SECCOMP, []clause{{[]condition{is(0, unix.SECCOMP_SET_MODE_FILTER)}, verdictAllow}}, verdictKill})
	}
	rs = append(rs,
		rule{unix.SYS_CLONE, []clause{{[]condition{{0, threadFlags | freshFlags, threadFlags}}, verdictAllow}}, verdictKill},
		rule{number: unix.SYS_CLONE3, or: verdictAbsent}, // its flags cannot be seen; a C library then uses clone
		rule{unix.SYS_TGKILL, []clause{{[]condition{is(0, uint64(p.pid))}, verdictAllow}}, verdictKill},
		p.prlimit(refuse),
		p.prctl(refuse))
	rs = append(rs, p.fileRules(refuse)...)
	rs = append(rs, always(verdictKill, escapes)...)
	return append(rs, always(verdictKill, legacyKills)...)
}

// prlimit is the rule of prlimit64(2): to ask for a limit, and before the seal to
// bound the addresses.
func (p policy) prlimit(refuse uint32) rule {
	own := is(0, 0)
	r := rule{unix.SYS_PRLIMIT64, []clause{{[]condition{own, is(2, 0)}, verdictAllow}}, refuse}
	if !p.sealed {
		r.clauses = append(r.clauses, clause{[]condition{own, is(1, unix.RLIMIT_AS)}, verdictAllow})
	}
	return r
}

// prctl is the rule of prctl(2), which is many calls in one.
func (p policy) prctl(refuse uint32) rule {
	// The Go runtime names its memory, a C library its threads.
	options := []uint64{unix.PR_SET_VMA, unix.PR_SET_NAME}
	if !p.sealed {
		options = append(options, unix.PR_SET_MDWE)
	}
	r := rule{number: unix.SYS_PRCTL, or: refuse}
	for _, option := range options {
		r.clauses = append(r.clauses, clause{[]condition{is(0, option)}, verdictAllow})
	}
	return r
}

// fileRules are the rules of files.
func (p policy) fileRules(refuse uint32) []rule {
	if !p.files {
		return nil
	}
	rs := append(always(verdictAllow, reading), always(verdictAllow, legacyReading)...)
	rs = append(rs, rule{number: unix.SYS_OPENAT2, or: verdictAbsent}) // its flags cannot be seen
	if p.writes {
		rs = append(rs, always(verdictAllow, writing)...)
		rs = append(rs, rule{number: unix.SYS_OPENAT, or: verdictAllow})
		return append(rs, always(verdictAllow, legacyOpen)...)
	}
	const changes = unix.O_WRONLY | unix.O_RDWR | unix.O_CREAT | unix.O_TRUNC | unix.O_APPEND
	rs = append(rs, rule{unix.SYS_OPENAT, []clause{{[]condition{lacks(2, changes)}, verdictAllow}}, refuse})
	for _, number := range legacyOpen {
		rs = append(rs, rule{number, []clause{{[]condition{lacks(1, changes)}, verdictAllow}}, refuse})
	}
	return rs
}

// always is the same verdict for some calls, whatever their arguments.
func always(verdict uint32, numbers []uintptr) []rule {
	rs := make([]rule, len(numbers))
	for i, n := range numbers {
		rs[i] = rule{number: n, or: verdict}
	}
	return rs
}
