package subprocess

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/wasmpool/wasmpool/subprocess/sandbox"
)

// start executes the runner, or this program again, behind the layers that are
// built before a program starts.
func (b *osBody) start(o Options, files []*os.File) (err error) {
	program, path, err := program(o)
	if err != nil {
		return err
	}
	defer program.Close()
	if o.Groups != "" {
		if b.group, err = sandbox.NewGroup(o.Groups); err != nil {
			return err
		}
		defer func() {
			if err != nil {
				b.leaveGroup()
			}
		}()
	}
	if b.group == nil && !o.Sandbox.Early() {
		b.process, err = startProcess(path, o, files)
		return err
	}
	b.process, err = onSpawner(o.StartTimeout, func() (*os.Process, error) {
		pid, report, err := sandbox.Enter(sandbox.Entry{
			Plan: o.Sandbox, Program: program, Args: title(o), Env: environment(o), Files: files, Group: b.group,
		})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		b.report = report
		return os.FindProcess(pid)
	}, end)
	return err
}

// program opens what is to be executed, and says by which path: this program
// itself, as it runs now, even if the file at its path was replaced.
func program(o Options) (*os.File, string, error) {
	path := o.Runner
	if path == "" {
		path = "/proc/self/exe"
		if _, err := os.Lstat(path); err != nil { // there is no /proc
			own, err := os.Executable()
			if err != nil {
				return nil, "", err
			}
			path = own
		}
	}
	// A file that may be executed need not be one that may be read.
	f, err := os.OpenFile(path, os.O_RDONLY, 0)
	if errors.Is(err, os.ErrPermission) {
		f, err = os.OpenFile(path, unix.O_PATH, 0)
	}
	return f, path, err
}

// bound bounds the memory that the process holds, if it is in its group.
func (b *osBody) bound(resident int64) error {
	if b.group == nil {
		return nil
	}
	if err := b.group.Holds(b.pid()); err != nil {
		return err
	}
	return b.group.Limit(resident)
}

// leaveGroup removes the group of a process that is gone, and reports whether
// that has ended by its bound.
func (b *osBody) leaveGroup() (exceeded bool) {
	if b.group == nil {
		return false
	}
	exceeded = b.group.Exceeded()
	_ = b.group.Remove() // what the process left behind may be in it for a moment: then a later sweep does it
	return exceeded
}
