//go:build linux || darwin

package subprocess

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/wasmpool/wasmpool/internal/wire"
	"github.com/wasmpool/wasmpool/subprocess/sandbox"
)

// waitDelay is how long the end of a dead child waits for its standard error,
// when a process of its own still holds that. A guess.
const waitDelay = 250 * time.Millisecond

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

// errSpawnerBusy says that the kernel, or a start before, takes too long.
var errSpawnerBusy = errors.New("subprocess: the thread that starts processes is held up")

// onSpawner runs a function on the spawner's thread. If that takes longer than
// patience it returns an error, and what the function comes to later is given to
// late.
func onSpawner[T any](patience time.Duration, f func() (T, error), late func(T)) (none T, err error) {
	type outcome struct {
		value T
		err   error
	}
	done := make(chan outcome, 1)
	enough := time.NewTimer(patience)
	defer enough.Stop()
	select {
	case spawner() <- func() {
		v, err := f()
		done <- outcome{v, err}
	}:
	case <-enough.C:
		return none, errSpawnerBusy
	}
	select {
	case o := <-done:
		return o.value, o.err
	case <-enough.C:
		go func() { // ends with the function
			if o := <-done; o.err == nil {
				late(o.value)
			}
		}()
		return none, errSpawnerBusy
	}
}

// osBody is a child process of the operating system.
type osBody struct {
	process *os.Process
	memory  *os.File
	gives   *os.File // the end of the handover
	said    *tail
	out     *os.File      // the child's standard output and error, to read
	heard   chan struct{} // closed when it was read to its end
	report  sandbox.Report
	group   *sandbox.Group // nil: it has none of its own
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
	s, err := newSocket(fds[0])
	if err != nil {
		return nil, nil, err
	}
	memory, err := newMemory(sizeOfMemory(o.Transport))
	if err != nil {
		_ = s.Close()
		return nil, nil, err
	}
	l, err := newLink(s, memory, o)
	if err != nil {
		_ = memory.Close()
		_ = s.Close()
		return nil, nil, err
	}
	b, err := newBody(o, theirs, memory)
	if err != nil {
		_ = l.Close()
		l.release()
		return nil, nil, err
	}
	return b, l, nil
}

// newBody starts a child process that has one end of a connection. It takes over
// the memory, whatever happens.
func newBody(o Options, socket, memory *os.File) (_ *osBody, err error) {
	b := &osBody{memory: memory, said: new(tail), heard: make(chan struct{})}
	var opened []*os.File // to be closed here, whatever happens
	defer func() {
		for _, f := range opened {
			_ = f.Close()
		}
		if err != nil {
			b.let()
		}
	}()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	opened = append(opened, null)
	fds, err := newSocketPair()
	if err != nil {
		return nil, os.NewSyscallError("socketpair", err)
	}
	takes := os.NewFile(uintptr(fds[1]), "wasmpool handover of the child")
	b.gives, opened = os.NewFile(uintptr(fds[0]), "wasmpool handover"), append(opened, takes)
	out, theirs, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	b.out, opened = out, append(opened, theirs)
	go func() { // ends with all who may write to it, or soon after the child
		defer close(b.heard)
		_, _ = io.Copy(b.said, out)
	}()
	return b, b.start(o, []*os.File{null, theirs, theirs, socket, memory, takes}) // 0 to 5
}

// let lets go of everything but the process.
func (b *osBody) let() {
	if b.out != nil {
		b.hear()
	}
	for _, f := range []*os.File{b.memory, b.gives} {
		if f != nil {
			_ = f.Close()
		}
	}
}

// give hands a file to the child.
func (b *osBody) give(f *os.File) error { return giveFile(b.gives, f) }

// hear waits for the last words of a child that is dead, for a moment: somebody
// else may still hold its standard error.
func (b *osBody) hear() {
	_ = b.out.SetReadDeadline(time.Now().Add(waitDelay))
	<-b.heard
	_ = b.out.Close()
}

// environment is that of a child.
func environment(o Options) []string {
	return append([]string{
		handshake + "=" + strconv.Itoa(wire.Version),
		"GOMAXPROCS=" + strconv.Itoa(o.Parallelism),
		"GOGC=off",
		"GODEBUG=containermaxprocs=0,updatemaxprocs=0,decoratemappings=0",
		planned + "=" + o.Sandbox.Encode(),
	}, raceEnv...)
}

// startProcess executes a program as a child of the spawner.
func startProcess(path string, o Options, files []*os.File) (*os.Process, error) {
	return onSpawner(o.StartTimeout, func() (*os.Process, error) {
		return os.StartProcess(path, title(o), &os.ProcAttr{Env: environment(o), Files: files, Sys: attributes()})
	}, end)
}

// end ends a process that nobody waits for any more.
func end(p *os.Process) {
	_ = p.Kill() // an error: it has ended
	_, _ = p.Wait()
}

// title is what is shown of a child in the process list.
func title(o Options) []string { return []string{"wasmpool: " + o.Name} }

func (b *osBody) pid() int { return b.process.Pid }

// kill cannot fail but for a process that is dead.
func (b *osBody) kill() { _ = b.process.Kill() }

func (b *osBody) wait() Exit {
	awaitDeath(b.pid())
	state, err := b.process.Wait()
	b.hear()
	_ = b.gives.Close()
	exit := Exit{PID: b.pid(), Code: -1, Stderr: b.said.String(), Exceeded: b.leaveGroup()}
	if err != nil {
		return exit // somebody else has reaped it
	}
	exit.Code, exit.Usage = state.ExitCode(), state.UserTime()+state.SystemTime()
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		exit.Signal = status.Signal()
	}
	return exit
}

// started reads what the child has published, and closes the memory.
func (b *osBody) started() uint64 {
	defer b.memory.Close()
	var word [8]byte
	if _, err := b.memory.ReadAt(word[:], startedAt); err != nil {
		return ^uint64(0) // unknown: every call may have started
	}
	return binary.NativeEndian.Uint64(word[:])
}

func (b *osBody) memoryBytes() int64 { return residentBytes(b.pid()) }

func (b *osBody) processorTime() time.Duration { return processorTime(b.pid()) }

func (b *osBody) built() sandbox.Report { return b.report }
