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
func (b *osBody) start(o Options, files []*os.File) error {
	program, path, err := program(o)
	if err != nil {
		return err
	}
	defer program.Close()
	if !o.Sandbox.Early() {
		b.process, err = startProcess(path, title(o), environment(o), files)
		return err
	}
	b.process, err = onSpawner(func() (*os.Process, error) {
		pid, report, err := sandbox.Enter(sandbox.Entry{
			Plan: o.Sandbox, Program: program, Args: title(o), Env: environment(o), Files: files,
		})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		b.report = report
		return os.FindProcess(pid)
	})
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
