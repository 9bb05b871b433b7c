package sandbox

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// sh appends the call that executes the shell with a command.
func (s *script) sh(command string) {
	s.add(layers, "execute sh", unix.SYS_EXECVE, s.text("/bin/sh"), s.texts([]string{"sh", "-c", command}), s.texts(nil))
}

func TestACloneLivesItsScriptToTheEnd(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	s := new(script)
	defer s.kept.Unpin()
	s.add(layers, "make "+file, unix.SYS_OPENAT, fromHere(), s.text(file), unix.O_CREAT|unix.O_CLOEXEC, 0o600)
	s.write(layers, file, "one")
	s.add(layers, "begin a session", unix.SYS_SETSID)
	s.quiet()
	s.sh("read word < " + file + "; test $word = one && exit 7")
	pid, err := s.run(0)
	if err != nil {
		t.Fatal(err)
	}
	var status unix.WaitStatus
	if _, err := unix.Wait4(pid, &status, 0, nil); err != nil || status.ExitStatus() != 7 {
		t.Errorf("the clone ended with %d, %v; want 7", status.ExitStatus(), err)
	}
}

func TestAScriptThatFailsSaysWhereAndLeavesNothing(t *testing.T) {
	for failing := range 3 {
		s := new(script)
		defer s.kept.Unpin()
		for i := range 3 {
			fd := uintptr(1)
			if i == failing {
				fd = 1 << 20
			}
			s.add(Layer(i), "duplicate", unix.SYS_DUP, fd)
		}
		s.sh("exit 7")
		pid, err := s.run(0)
		var failed *stepError
		if !errors.As(err, &failed) || failed.layer != Layer(failing) || failed.errno != unix.EBADF || pid != 0 {
			t.Errorf("process %d, %v; want that step %d failed with %v", pid, err, failing, unix.EBADF)
		}
	}
	if pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil); err != unix.ECHILD {
		t.Errorf("process %d is left (%v)", pid, err)
	}
}

func TestAFileThatCannotBeExecutedIsAnErrorOfTheScript(t *testing.T) {
	s := new(script)
	defer s.kept.Unpin()
	s.add(layers, "execute nothing", unix.SYS_EXECVE, s.text("/nowhere"), s.texts(nil), s.texts(nil))
	if _, err := s.run(0); !errors.Is(err, syscall.ENOENT) {
		t.Errorf("%v, want %v", err, syscall.ENOENT)
	}
}

func TestACloneLeavesThisProgramAsItWas(t *testing.T) {
	if os.Geteuid() == 0 {
		needPrivileges(t)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	state := func() (masked mask, dumpable int, dir string) {
		masked, err := maskSignals(0)
		if err == nil {
			_, err = maskSignals(masked)
		}
		dumpable, perr := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
		dir, derr := os.Getwd()
		if err := errors.Join(err, perr, derr); err != nil {
			t.Fatal(err)
		}
		return masked, dumpable, dir
	}
	masked, dumpable, dir := state()
	s := new(script)
	defer s.kept.Unpin()
	s.add(layers, "go elsewhere", unix.SYS_CHDIR, s.text("/"))
	s.add(layers, "close standard error", unix.SYS_CLOSE, 2)
	if os.Geteuid() == 0 {
		s.add(User, "become somebody else", unix.SYS_SETRESUID, nobody, nobody, nobody)
	}
	s.quiet()
	s.sh("exit 0")
	pid, err := s.run(0)
	if err != nil {
		t.Fatal(err)
	}
	reap(pid)
	if m, d, w := state(); m != masked || d != dumpable || w != dir {
		t.Errorf("signals %x, dumpable %d, in %s; before: %x, %d, %s", m, d, w, masked, dumpable, dir)
	}
	if _, err := unix.FcntlInt(2, unix.F_GETFD, 0); err != nil {
		t.Errorf("standard error: %v", err)
	}
	if os.Geteuid() == 0 && os.Getuid() != 0 {
		t.Error("this program is somebody else")
	}
}
