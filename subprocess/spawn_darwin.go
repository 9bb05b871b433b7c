package subprocess

import (
	"os"
	"syscall"
	"time"
)

// start executes the runner, or this program again.
func (b *osBody) start(o Options, files []*os.File) (err error) {
	path := o.Runner
	if path == "" {
		if path, err = os.Executable(); err != nil {
			return err
		}
	}
	b.process, err = startProcess(path, o, files)
	return err
}

// attributes make a session of the child's own, so that it shares no terminal
// and no process group with this one. That it ends with this process is up to
// itself: its connection ends.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// awaitDeath leaves all to the one who reaps.
func awaitDeath(int) {}

// newMemory returns memory that a child shares: a file without a name.
func newMemory(size int64) (*os.File, error) {
	f, err := os.CreateTemp("", "wasmpool-memory-*")
	if err != nil {
		return nil, err
	}
	err = os.Remove(f.Name())
	if err == nil {
		err = f.Truncate(size)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// residentBytes is not known here.
func residentBytes(int) int64 { return 0 }

// processorTime is not known here.
func processorTime(int) time.Duration { return 0 }

// bound does nothing: there are no control groups here.
func (b *osBody) bound(int64) error { return nil }

// leaveGroup reports that there was none.
func (b *osBody) leaveGroup() (exceeded bool) { return false }
