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
	"time"

	"golang.org/x/sys/unix"
)

// Group is a control group of one worker (cgroups(7), version 2), in which the
// kernel counts the memory and the tasks of that worker alone.
type Group struct {
	dir     string
	bounded bool // its memory is
}

// groupPrefix begins the names of groups.
const groupPrefix = "wasmpool-"

// emptyFor is the age from which a group without processes is one that somebody
// left. A guess: one that is in use is empty for some milliseconds.
const emptyFor = time.Minute

// groupControllers are what a group needs.
var groupControllers = []string{"memory", "pids"}

// CheckGroups says what is in the way of groups for workers below a directory,
// and passes its controllers on to them.
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
	sweepGroups(dir) // before: passing something on makes groups look new
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

// sweepGroups removes the groups that somebody left: a program that was killed,
// or this one when a worker's group was still busy. One that has processes stays,
// as the kernel has it.
func sweepGroups(dir string) {
	left, _ := filepath.Glob(filepath.Join(dir, groupPrefix+"*")) // an error is one of the pattern
	for _, path := range left {
		if info, err := os.Stat(path); err == nil && time.Since(info.ModTime()) > emptyFor {
			_ = os.Remove(path)
		}
	}
}

// NewGroup makes a group below a directory that was checked, and removes those
// that were left there. It bounds the tasks of its worker.
func NewGroup(dir string) (*Group, error) {
	sweepGroups(dir)
	path, err := os.MkdirTemp(dir, groupPrefix)
	if err != nil {
		return nil, err
	}
	g := &Group{dir: path}
	err = g.set("pids.max", strconv.Itoa(maxTasks))
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
	g.bounded = true
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

// Exceeded reports whether the kernel has ended the worker for the bound of its
// memory. It may have ended it for want of memory elsewhere, too: of the whole
// machine, or above the group.
func (g *Group) Exceeded() bool {
	events, _ := os.ReadFile(filepath.Join(g.dir, "memory.events"))
	own, killed := false, false
	for line := range strings.Lines(string(events)) {
		switch name, n, _ := strings.Cut(strings.TrimSpace(line), " "); name {
		case "oom": // how often this group's own bound was met
			own = n != "0"
		case "oom_kill": // how many of it were ended, by whatever bound
			killed = n != "0"
		}
	}
	return g.bounded && own && killed
}

// Remove removes the group, which must be empty: its worker is reaped.
func (g *Group) Remove() error { return os.Remove(g.dir) }
