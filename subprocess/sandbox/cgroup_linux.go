package sandbox

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// Group is a control group of one worker (cgroups(7), version 2), in which the
// kernel counts the memory and the tasks of that worker alone.
type Group struct{ dir string }

// groupPrefix begins the names of groups; the process id of whoever made one
// follows, and a number.
const groupPrefix = "wasmpool-"

var groups atomic.Uint64

// groupControllers are what a group needs.
var groupControllers = []string{"memory", "pids"}

// CheckGroups says what is in the way of groups for workers below a directory,
// and passes its controllers on to them. Groups that a program has left there
// which is gone are removed.
func CheckGroups(dir string) error {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return &os.PathError{Op: "statfs", Path: dir, Err: err}
	}
	if fs.Type != unix.CGROUP2_SUPER_MAGIC {
		return errors.New("it is no directory of cgroups version 2")
	}
	offered, err := os.ReadFile(filepath.Join(dir, "cgroup.controllers"))
	if err != nil {
		return err
	}
	for _, c := range groupControllers {
		if !slices.Contains(strings.Fields(string(offered)), c) {
			return fmt.Errorf("it has no controller %q, only %q: delegate it, with Delegate=yes in a unit of systemd", c, bytes.TrimSpace(offered))
		}
	}
	sweepGroups(dir)
	passOn := "+" + strings.Join(groupControllers, " +")
	if err := writeExisting(filepath.Join(dir, "cgroup.subtree_control"), passOn); err != nil {
		if errors.Is(err, unix.EBUSY) {
			return errors.New("there are processes in it, and so it cannot have groups with controllers below: move them to a group of their own first, with DelegateSubgroup= in a unit of systemd")
		}
		return err
	}
	g, err := NewGroup(dir)
	if err != nil {
		return err
	}
	return g.Remove()
}

// sweepGroups removes the groups of programs that are gone. One that has
// processes stays, as the kernel has it.
func sweepGroups(dir string) {
	left, _ := filepath.Glob(filepath.Join(dir, groupPrefix+"*"))
	for _, path := range left {
		name, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(path), groupPrefix), "-")
		if pid, err := strconv.Atoi(name); err == nil && pid != os.Getpid() && errors.Is(unix.Kill(pid, 0), unix.ESRCH) {
			_ = os.Remove(path)
		}
	}
}

// NewGroup makes a group below a directory that was checked. It bounds the tasks
// of its worker.
func NewGroup(dir string) (*Group, error) {
	g := &Group{filepath.Join(dir, fmt.Sprintf("%s%d-%d", groupPrefix, os.Getpid(), groups.Add(1)))}
	if err := os.Mkdir(g.dir, 0o755); err != nil {
		return nil, err
	}
	err := g.set("pids.max", strconv.Itoa(maxTasks))
	if err == nil {
		err = g.set("memory.oom.group", "1") // all of it, or nothing
	}
	if err != nil {
		return nil, errors.Join(err, g.Remove())
	}
	return g, nil
}

func (g *Group) set(file, text string) error { return writeExisting(filepath.Join(g.dir, file), text) }

// writeExisting writes a file that is there. [os.WriteFile] would try to make one.
func writeExisting(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// Limit bounds the memory of the worker, in bytes, from now on: what would be
// more ends it. Memory is not swapped out to make room, where that can be said.
func (g *Group) Limit(most int64) error {
	if err := g.set("memory.max", strconv.FormatInt(most, 10)); err != nil {
		return err
	}
	if err := g.set("memory.swap.max", "0"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// join appends the calls that take the clone into the group.
func (g *Group) join(s *script) { s.write(layers, filepath.Join(g.dir, "cgroup.procs"), "0") }

// Holds says whether a process is in the group, by the kernel's word.
func (g *Group) Holds(pid int) error {
	members, err := os.ReadFile(filepath.Join(g.dir, "cgroup.procs"))
	if err == nil && !slices.Contains(strings.Fields(string(members)), strconv.Itoa(pid)) {
		err = fmt.Errorf("sandbox: process %d is not in its cgroup %s", pid, g.dir)
	}
	return err
}

// Exceeded reports whether the kernel has ended the worker for its memory.
func (g *Group) Exceeded() bool {
	events, _ := os.ReadFile(filepath.Join(g.dir, "memory.events"))
	for line := range strings.Lines(string(events)) {
		if n, ok := strings.CutPrefix(line, "oom_kill "); ok {
			return strings.TrimSpace(n) != "0"
		}
	}
	return false
}

// Remove removes the group, which must be empty: its worker is reaped.
func (g *Group) Remove() error { return os.Remove(g.dir) }
