package sandbox

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Entry is a worker that is to be.
type Entry struct {
	Plan Plan

	// Program is the file to execute, with these arguments and this environment.
	Program *os.File
	Args    []string
	Env     []string

	// Files are the worker's descriptors, from 0 on. It has no others.
	Files []*os.File

	// Group is where it is to be, from its first moment; nil: where this process is.
	Group *Group
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

// Enter starts a worker behind those layers of its plan that can be had here,
// and returns its process id and what has become of them. The worker ends with
// the thread that calls Enter, which must be the only one that does: a clone uses
// this program's memory.
func Enter(e Entry) (pid int, report Report, err error) { return newBirth(e).enter() }

func newBirth(e Entry) *birth {
	return &birth{Entry: e, report: NewReport(e.Plan.Layers & built), stranger: strangers, owned: os.Geteuid() != 0, alone: true}
}

func (b *birth) enter() (pid int, report Report, err error) {
	if err := b.lift(); err != nil {
		return 0, nil, err
	}
	defer b.lower()
	b.dirs, b.links = linked(b.Program)
	// Each round builds all or nothing, and the next one does without the layer
	// that failed.
	for {
		pid, err = b.attempt()
		var failed *stepError
		switch {
		case err == nil:
			return pid, b.report, nil
		case passing(err) || !errors.As(err, &failed) || !b.blame(failed):
			return 0, nil, err
		}
	}
}

// birth is what leads to a worker.
type birth struct {
	Entry
	report   Report
	lifted   []int // the worker's files and the program, above the numbers that files get
	dirs     []Dir // the program's libraries
	links    map[string]string
	stranger []int // that can still be tried
	owned    bool  // by a user namespace
	alone    bool  // no other descriptors are left to it
	fixed    bool  // the root of this machine cannot be exchanged
}

func (b *birth) wants(l Layer) bool { return b.report.On().Has(l) }

// attempt starts a worker behind the layers that nothing is known against.
func (b *birth) attempt() (pid int, err error) {
	flags := uintptr(0)
	for l, flag := range namespaces {
		if b.wants(l) {
			flags |= flag
		}
	}
	apart := flags != 0
	b.choose(apart)
	if b.owned && (b.wants(User) || apart) {
		flags |= unix.CLONE_NEWUSER
	}
	rules, err := b.rules()
	if err != nil {
		return 0, err
	}
	defer rules.close()
	s := new(script)
	defer s.kept.Unpin()
	if b.Group != nil {
		b.Group.join(s)
	}
	if flags&unix.CLONE_NEWUSER != 0 {
		s.write(User, "/proc/self/setgroups", "deny")
		s.write(User, "/proc/self/uid_map", fmt.Sprintf("%d %d 1", nobody, os.Geteuid()))
		s.write(User, "/proc/self/gid_map", fmt.Sprintf("%d %d 1", nobody, os.Getegid()))
	}
	if b.wants(Expendable) {
		s.write(Expendable, "/proc/self/oom_score_adj", "1000") // the most: proc_pid_oom_score_adj(5)
	}
	s.add(layers, "start a session", unix.SYS_SETSID)
	if b.wants(Root) {
		v := newView(append(append([]Dir(nil), b.dirs...), b.Plan.Dirs...), b.links)
		v.fixed = b.fixed
		s.root(v)
	}
	if b.wants(User) && !b.owned {
		id := uintptr(b.stranger[0])
		s.becomes = true
		s.add(User, "leave all groups", unix.SYS_SETGROUPS, 0, 0)
		s.add(User, "change the group", unix.SYS_SETRESGID, id, id, id)
		s.add(User, "change the user", unix.SYS_SETRESUID, id, id, id)
	}
	if b.wants(NoNewPrivs) || b.wants(Landlock) {
		s.add(NoNewPrivs, "set no_new_privs", unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1)
	}
	if b.wants(Landlock) {
		s.add(Landlock, "restrict by Landlock", unix.SYS_LANDLOCK_RESTRICT_SELF, uintptr(rules.fd), 0)
	}
	program, err := b.hand(s)
	if err != nil {
		return 0, err
	}
	if b.wants(Limits) {
		s.limit(fixedLimits(b.Plan.FileBytes))
		if flags&unix.CLONE_NEWUSER != 0 && countsTasksApart() {
			s.limit([]limit{taskLimit})
		}
	}
	if b.wants(Capabilities) {
		s.dropCapabilities(b.wants(User) || b.owned)
	}
	s.quiet()
	s.add(layers, "die with the parent", unix.SYS_PRCTL, unix.PR_SET_PDEATHSIG, uintptr(syscall.SIGKILL))
	s.add(layers, "execute the program", unix.SYS_EXECVEAT, program, s.text(""), s.texts(b.Args), s.texts(b.Env), unix.AT_EMPTY_PATH)
	return s.run(flags)
}

// rules makes the ruleset of Landlock, if it is wanted and can be had.
func (b *birth) rules() (*ruleset, error) {
	if !b.wants(Landlock) {
		return nil, nil
	}
	rules, err := landlock(b.Program, b.dirs, b.Plan.Dirs)
	if err == nil || passing(err) {
		return rules, err
	}
	b.report.fail(Landlock, "%v", err)
	return nil, nil
}
