package sandbox

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Witness is what the parent has seen of a worker that had not met its module.
type Witness struct {
	pid     int
	filters int // of system calls, that the worker has; -1: not known
}

// Watch compares what a worker reported with what the kernel says of it, and
// returns the report as it stands then. It is called by the parent, between the
// worker's hello and the first that it learns of a module.
func Watch(pid int, plan Plan, claimed Report) (*Witness, Report) {
	seen, w := maps.Clone(claimed), &Witness{pid: pid, filters: -1}
	tasks, err := readTasks(pid)
	if err != nil {
		for l := range seen {
			if observed.Has(l) {
				seen.fail(l, "it cannot be confirmed: %v", err)
			}
		}
		seen.fail(Memory, "what it has cannot be counted: %v", err) // and so not what it may have
		return w, seen
	}
	w.filters = leastFilters(tasks)
	for _, t := range tasks {
		seen.confirm(t)
	}
	for l, name := range namespaceFiles {
		if why := within(pid, name); why != "" {
			seen.fail(l, "%s", why)
		}
	}
	if uid := strings.Fields(tasks[0]["Uid"]); len(uid) == 4 && uid[0] == strconv.Itoa(os.Geteuid()) {
		if why := within(pid, "user"); why != "" {
			seen.fail(User, "it is the same user, and %s", why)
		}
	}
	if score, err := os.ReadFile(proc(pid, "oom_score_adj")); err != nil || strings.TrimSpace(string(score)) != "1000" {
		seen.fail(Expendable, "its oom_score_adj is %q (%v)", bytes.TrimSpace(score), err)
	}
	for _, l := range fixedLimits(plan.FileBytes) {
		if now, err := hardLimit(pid, l.name); err != nil || now > l.most {
			seen.fail(Limits, "its limit of %s is %d, want %d (%v)", l.what, now, l.most, err)
		}
	}
	return w, seen
}

// observed are the layers that can be seen from outside.
const observed Set = 1<<User | 1<<PID | 1<<Net | 1<<IPC | 1<<UTS | 1<<Root | 1<<Capabilities | 1<<NoNewPrivs |
	1<<Limits | 1<<Expendable | 1<<Syscalls

var namespaceFiles = map[Layer]string{PID: "pid", Net: "net", IPC: "ipc", UTS: "uts", Root: "mnt"}

func proc(pid int, name string) string { return filepath.Join("/proc", strconv.Itoa(pid), name) }

// task is what /proc says of a thread: the fields of its status.
type task map[string]string

// readTasks reads the status of all threads of a process.
func readTasks(pid int) ([]task, error) {
	entries, err := os.ReadDir(proc(pid, "task"))
	if err != nil {
		return nil, err
	}
	var ts []task
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(proc(pid, "task"), e.Name(), "status"))
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH) {
			continue // it has ended
		}
		if err != nil {
			return nil, err
		}
		t := make(task)
		for line := range strings.Lines(string(text)) {
			if name, value, ok := strings.Cut(line, ":"); ok {
				t[name] = strings.TrimSpace(value)
			}
		}
		ts = append(ts, t)
	}
	if len(ts) == 0 {
		return nil, fmt.Errorf("process %d has no threads", pid)
	}
	return ts, nil
}

// confirm holds a thread against the report.
func (r Report) confirm(t task) {
	if got := t["NoNewPrivs"]; got != "1" {
		r.fail(NoNewPrivs, "a thread of it has NoNewPrivs %q", got)
	}
	if got := t["Seccomp"]; got != "2" {
		r.fail(Syscalls, "a thread of it has Seccomp %q", got)
	}
	for _, name := range []string{"CapInh", "CapPrm", "CapEff", "CapAmb"} {
		if got := t[name]; strings.Trim(got, "0") != "" || got == "" {
			r.fail(Capabilities, "a thread of it has %s %q", name, got)
		}
	}
}

// within says what is wrong with a namespace of a process: it must be another
// than this process's.
func within(pid int, name string) string {
	theirs, err := os.Readlink(proc(pid, "ns/"+name))
	if err != nil {
		return fmt.Sprintf("it cannot be confirmed: %v", err)
	}
	if ours, err := os.Readlink("/proc/self/ns/" + name); err != nil || ours == theirs {
		return fmt.Sprintf("it is in this program's own %s namespace", name)
	}
	return ""
}

// leastFilters is the smallest number of filters that a thread has, or -1 where
// the kernel does not tell (before Linux 5.9).
func leastFilters(tasks []task) int {
	least := -1
	for _, t := range tasks {
		n, err := strconv.Atoi(t["Seccomp_filters"])
		if err != nil {
			return -1
		}
		if least < 0 || n < least {
			least = n
		}
	}
	return least
}

// Sealed says whether a worker has been sealed since, by the kernel's word: a
// guest that runs by now cannot take a filter back.
func (w *Witness) Sealed() error {
	if w.filters < 0 {
		return nil // it cannot be told
	}
	tasks, err := readTasks(w.pid)
	if err != nil {
		return fmt.Errorf("sandbox: seal of process %d: %w", w.pid, err)
	}
	if n := leastFilters(tasks); n <= w.filters {
		return fmt.Errorf("sandbox: process %d is not sealed: a thread of it has %d filters, want more than the %d before", w.pid, n, w.filters)
	}
	return nil
}
