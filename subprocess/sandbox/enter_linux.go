package sandbox

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// Entry is a worker that is to be.
type Entry struct {
	Plan Plan

	// Program is the descriptor of the file to execute.
	Program int

	// Args and Env are those of the program. Descriptors below Open stay as they
	// are; those from there on are closed.
	Args []string
	Env  []string
	Open int
}

// namespaces are the layers that are namespaces, with the flags of clone(2). The
// user layer is one too, where it is not another user.
var namespaces = map[Layer]uintptr{
	PID: unix.CLONE_NEWPID, Net: unix.CLONE_NEWNET, IPC: unix.CLONE_NEWIPC, UTS: unix.CLONE_NEWUTS, Root: unix.CLONE_NEWNS,
}

// strangers are the users that a worker of root becomes: one that no system
// gives out (the ids above those of containers, by systemd's uids-gids), and
// nobody, where that one is not mapped.
var strangers = []int{1_900_000_000, 65_534}

// nobody is the id that a worker sees as its own in a user namespace.
const nobody = 65_534

// Enter is the first stage: it starts a worker behind those layers of its plan
// that can be had here, and returns its process id and what has become of them.
// The worker is a child of this process's parent. This process must end soon,
// and is of no other use: its own limits change.
func Enter(e Entry) (pid int, report Report, err error) {
	s := &stage{Entry: e, report: NewReport(e.Plan.Layers & built), stranger: strangers, owned: os.Geteuid() != 0}
	s.prepare()
	// Each round builds all or nothing, and the next one does without the layer
	// that failed.
	for {
		pid, err = s.attempt()
		var failed *callError
		switch {
		case err == nil:
			return pid, s.report, nil
		case !errors.As(err, &failed) || !s.blame(failed):
			return 0, nil, err
		}
	}
}

// stage is a first stage at work.
type stage struct {
	Entry
	report   Report
	program  *os.File
	dirs     []Dir // the program's libraries
	links    map[string]string
	stranger []int // that can still be tried
	owned    bool  // by a user namespace
}

// prepare does what is done once, and to this process itself: a clone has it too.
func (s *stage) prepare() {
	if err := unix.CloseRange(uint(s.Open), ^uint(0)>>1, unix.CLOSE_RANGE_CLOEXEC); err != nil {
		closeOnExec(s.Open) // Linux before 5.11
	}
	s.program = os.NewFile(uintptr(s.Program), "program")
	unix.CloseOnExec(s.Program)
	s.dirs, s.links = linked(s.program)
	if s.wants(Expendable) {
		// 1000 is the most: proc_pid_oom_score_adj(5).
		if err := os.WriteFile("/proc/self/oom_score_adj", []byte("1000"), 0); err != nil {
			s.report.fail(Expendable, "%v", err)
		}
	}
	if s.wants(Limits) {
		for _, limit := range fixedLimits(s.Plan.FileBytes) {
			if err := unix.Setrlimit(limit.which, &unix.Rlimit{Cur: limit.most, Max: limit.most}); err != nil {
				s.report.fail(Limits, "limit of %s: %v", limit.what, err)
			}
		}
	}
}

// closeOnExec marks descriptors to be closed by the exec.
func closeOnExec(from int) {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return
	}
	for _, e := range entries {
		if fd, err := strconv.Atoi(e.Name()); err == nil && fd >= from {
			unix.CloseOnExec(fd)
		}
	}
}

func (s *stage) wants(l Layer) bool { return s.report.On().Has(l) }

// attempt starts a worker behind the layers that nothing is known against.
func (s *stage) attempt() (pid int, err error) {
	flags := uintptr(unix.CLONE_PARENT)
	apart := false
	for l, flag := range namespaces {
		if s.wants(l) {
			flags |= flag
			apart = true
		}
	}
	s.choose(apart)
	if s.owned && (s.wants(User) || apart) {
		flags |= unix.CLONE_NEWUSER
	}
	script := new(script)
	if flags&unix.CLONE_NEWUSER != 0 {
		script.write(User, "/proc/self/setgroups", "deny")
		script.write(User, "/proc/self/uid_map", fmt.Sprintf("%d %d 1", nobody, os.Geteuid()))
		script.write(User, "/proc/self/gid_map", fmt.Sprintf("%d %d 1", nobody, os.Getegid()))
	}
	script.add(layers, "start a session", unix.SYS_SETSID)
	if s.wants(Root) {
		script.root(newView(append(append([]Dir(nil), s.dirs...), s.Plan.Dirs...), s.links))
	}
	if s.wants(User) && !s.owned {
		id := uintptr(s.stranger[0])
		script.add(User, "leave all groups", unix.SYS_SETGROUPS, 0, 0)
		script.add(User, "change the group", unix.SYS_SETRESGID, id, id, id)
		script.add(User, "change the user", unix.SYS_SETRESUID, id, id, id)
	}
	if s.wants(NoNewPrivs) || s.wants(Landlock) {
		script.add(NoNewPrivs, "set no_new_privs", unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1)
	}
	if s.wants(Landlock) {
		rules, err := landlock(s.Program, s.dirs, s.Plan.Dirs)
		if err != nil {
			s.report.fail(Landlock, "%v", err)
		} else {
			defer rules.close()
			script.add(Landlock, "restrict by Landlock", unix.SYS_LANDLOCK_RESTRICT_SELF, uintptr(rules.fd), 0)
		}
	}
	if s.wants(Limits) && flags&unix.CLONE_NEWUSER != 0 {
		// Elsewhere all processes of the user count, whoever started them.
		limit := &unix.Rlimit{Cur: maxTasks, Max: maxTasks}
		script.add(Limits, "limit processes", unix.SYS_PRLIMIT64, 0, unix.RLIMIT_NPROC, keep(script, limit))
	}
	if s.wants(Capabilities) {
		script.dropCapabilities(s.wants(User) || s.owned)
	}
	script.add(layers, "die with the parent", unix.SYS_PRCTL, unix.PR_SET_PDEATHSIG, uintptr(syscall.SIGKILL))
	script.add(layers, "execute the program", unix.SYS_EXECVEAT, uintptr(s.Program), script.text(""),
		script.texts(s.Args), script.texts(s.Env), unix.AT_EMPTY_PATH)
	return script.run(flags)
}

// choose decides how a worker is made somebody else. A user that root becomes
// needs no user namespace, but has to be able to execute the program, and to use
// what is granted.
func (s *stage) choose(apart bool) {
	if s.owned || !s.wants(User) {
		return
	}
	if info, err := s.program.Stat(); err == nil && info.Mode()&0o001 == 0 {
		s.owned = apart // a namespace of root's, then
		if !s.owned {
			s.report.fail(User, "the program's file has mode %v, and other users cannot execute it: chmod o+x", info.Mode().Perm())
		}
	}
	if len(s.Plan.Dirs) > 0 && !s.owned {
		// What is granted is this user's to use: another user might have no right to.
		s.owned = apart
		if !s.owned {
			s.report.fail(User, "it is granted directories that are this user's, and there are no namespaces")
		}
	}
}

// blame notes which layers cannot be had because a call failed, and reports
// whether another attempt without them makes sense.
func (s *stage) blame(failed *callError) bool {
	before := s.report.On()
	switch {
	case failed.call.what == "clone":
		if !s.owned && os.Geteuid() == 0 {
			s.owned = true // perhaps as a user without privileges would
			return true
		}
		why := fmt.Sprintf("this machine refuses namespaces (clone: %v)", failed.errno)
		for l := range namespaces {
			s.report.fail(l, "%s", why)
		}
		if os.Geteuid() == 0 {
			s.owned = false
		} else {
			s.report.fail(User, "%s", why)
		}
	case failed.call.what == "change the user" || failed.call.what == "change the group":
		if s.stranger = s.stranger[1:]; len(s.stranger) > 0 {
			return true
		}
		s.report.fail(User, "%v", failed)
	case failed.call.layer == User && s.owned:
		for l := range namespaces {
			s.report.fail(l, "%v", failed) // they need it
		}
		s.report.fail(User, "%v", failed)
	case failed.call.layer == NoNewPrivs:
		s.report.fail(NoNewPrivs, "%v", failed)
		s.report.fail(Landlock, "it needs no_new_privs: %v", failed)
	case failed.call.layer < layers:
		s.report.fail(failed.call.layer, "%v", failed)
	}
	return s.report.On() != before
}
