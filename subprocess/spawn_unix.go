//go:build linux || darwin

package subprocess

import (
	"encoding/binary"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/wasmpool/wasmpool/internal/wire"
)

// waitDelay is how long the end of a dead child waits for its standard error,
// when a process of its own still holds that. A guess.
const waitDelay = 250 * time.Millisecond

// pageBytes is the memory in which a child publishes the call that it starts.
const pageBytes = 4096

// spawner runs functions on one thread that never ends, started on first use:
// the kernel's "kill the child when the parent dies" means the thread that
// started it.
var spawner = sync.OnceValue(func() chan<- func() {
	work := make(chan func())
	go func() { // ends with the program
		runtime.LockOSThread()
		for f := range work {
			f()
		}
	}()
	return work
})

// osBody is a child process of the operating system.
type osBody struct {
	cmd  *exec.Cmd
	page *os.File
	said *tail
}

// spawn starts a child process and returns it with the parent's end of its
// connection.
func spawn(o Options) (body, link, error) {
	fds, err := newSocketPair()
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	theirs := os.NewFile(uintptr(fds[1]), "wasmpool socket of the child")
	defer theirs.Close()
	l, err := newSocket(fds[0])
	if err != nil {
		return nil, nil, err
	}
	page, err := newPage()
	if err != nil {
		_ = l.Close()
		return nil, nil, err
	}
	b := &osBody{page: page, said: new(tail)}
	if b.cmd, err = command(o, theirs, page, b.said); err == nil {
		started := make(chan error)
		spawner() <- func() { started <- b.cmd.Start() }
		err = <-started
	}
	if err != nil {
		_ = l.Close()
		_ = page.Close()
		return nil, nil, err
	}
	return b, l, nil
}

func command(o Options, socket, page *os.File, said *tail) (*exec.Cmd, error) {
	path := o.Runner
	if path == "" {
		own, err := ownProgram()
		if err != nil {
			return nil, err
		}
		path = own
	}
	return &exec.Cmd{
		Path: path,
		Args: []string{"wasmpool: " + o.Name},
		Env: append([]string{
			handshake + "=" + strconv.Itoa(wire.Version),
			"GOMAXPROCS=" + strconv.Itoa(o.Parallelism),
			"GOGC=off",
			"GODEBUG=containermaxprocs=0,updatemaxprocs=0,decoratemappings=0",
		}, raceEnv...),
		Stdout:      said,
		Stderr:      said,
		ExtraFiles:  []*os.File{socket, page}, // 3 and 4
		SysProcAttr: attributes(),
		WaitDelay:   waitDelay,
	}, nil
}

func (b *osBody) pid() int { return b.cmd.Process.Pid }

// kill cannot fail but for a process that is dead.
func (b *osBody) kill() { _ = b.cmd.Process.Kill() }

func (b *osBody) wait() Exit {
	awaitDeath(b.pid())
	// The errors say what the state says too, or that another process holds the
	// standard error.
	_ = b.cmd.Wait()
	state := b.cmd.ProcessState
	exit := Exit{
		PID:    b.pid(),
		Code:   state.ExitCode(),
		Stderr: b.said.String(),
		Usage:  state.UserTime() + state.SystemTime(),
	}
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		exit.Signal = status.Signal()
	}
	return exit
}

// started reads the page, and closes it. It is read as a file: a mapping would
// make a child that truncates it the parent's problem.
func (b *osBody) started() uint64 {
	defer b.page.Close()
	var word [8]byte
	if _, err := b.page.ReadAt(word[:], 0); err != nil {
		return ^uint64(0) // unknown: every call may have started
	}
	return binary.NativeEndian.Uint64(word[:])
}

func (b *osBody) memoryBytes() int64 { return residentBytes(b.pid()) }
