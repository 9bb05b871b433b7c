package pool_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/wasmpool/wasmpool/internal/takenover"
	"github.com/wasmpool/wasmpool/pool"
)

// worldVar is the environment variable that has the test binary be a program in
// a world that lacks something.
const worldVar = "WASMPOOL_TEST_WORLD"

// worlds are what the kernel refuses in each of them, before there is a pool.
var worlds = map[string]func() error{
	"whole": func() error { return nil },
	"no namespaces": func() error {
		const fresh = unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWNS | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS
		return refuse(unix.SYS_CLONE, fresh, unix.EPERM)
	},
	"no Landlock": func() error { return refuse(unix.SYS_LANDLOCK_CREATE_RULESET, 0, unix.ENOSYS) },
	"no seccomp":  func() error { return refuse(unix.SYS_SECCOMP, 0, unix.EINVAL) },
	"no /proc":    func() error { return unix.Unmount("/proc", unix.MNT_DETACH) },
}

// refuse has a system call fail, for this process and all that it starts, when
// its first argument has some bits, or always.
func refuse(number, bits uint32, errno unix.Errno) error {
	load := func(k uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: k}
	}
	const ret = unix.BPF_RET | unix.BPF_K
	filter := []unix.SockFilter{
		load(0),
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: number, Jf: 3},
		load(16),
		{Code: unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, K: bits, Jf: 1},
		{Code: ret, K: unix.SECCOMP_RET_ERRNO | uint32(errno)},
		{Code: ret, K: unix.SECCOMP_RET_ALLOW},
	}
	if bits == 0 {
		filter[3] = load(0)
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	_, _, e := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&prog)))
	runtime.KeepAlive(filter)
	if e != 0 {
		return e
	}
	return nil
}

// life is what has become of a pool in some world.
type life struct {
	Result  string
	Err     string
	Strict  string // the error of a strict one
	Warned  int    // how often it said that layers are off
	Sandbox []pool.Layer
}

// TestInAnotherWorld is the program in that world; the tests below start it.
func TestInAnotherWorld(t *testing.T) {
	world := worlds[os.Getenv(worldVar)]
	if world == nil {
		t.Skip("it is started by another test")
	}
	runner := takenOver(t, takenover.Plain)
	if err := world(); err != nil {
		t.Fatal(err)
	}
	var l life
	var log bytes.Buffer
	p := hostilePool(t, pool.Options{Runner: runner, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	for range 2 { // two workers
		got, err := p.Call(within(t), "echo", "add", 1, 2)
		l.Result, l.Err = string(got), fmt.Sprint(err)
		_, _ = try(t, p, "nothing", nil)
	}
	l.Sandbox = p.Stats().Sandbox
	_ = p.Stop(within(t)) // what it logs is told by then
	l.Warned = strings.Count(log.String(), "only a part of the sandbox")
	strict := hostilePool(t, pool.Options{Runner: runner, Sandbox: pool.Strict})
	_, err := strict.Call(within(t), "echo", "add", 1, 2)
	l.Strict = fmt.Sprint(err)
	b, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(os.Getenv(worldVar+"_OUT"), b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestAPoolServesInAPoorWorldAndSaysWhatItLacks(t *testing.T) {
	for _, layer := range liveIn(t, "whole", 0).Sandbox {
		if !layer.On {
			t.Skipf("this world lacks %s already: %s", layer.Name, layer.Why)
		}
	}
	for _, row := range []struct {
		world string
		off   []string // layers, as root
		flags uintptr  // of the clone
	}{
		{world: "no namespaces", off: []string{"pid", "net", "ipc", "uts", "root"}},
		{world: "no Landlock", off: []string{"landlock"}},
		{world: "no seccomp", off: []string{"syscalls", "code"}},
		{world: "no /proc", off: []string{"user", "pid", "net", "ipc", "uts", "root", "capabilities", "no-new-privs", "limits", "expendable", "memory", "syscalls"}, flags: unix.CLONE_NEWNS},
	} {
		t.Run(row.world, func(t *testing.T) {
			if row.flags != 0 && os.Geteuid() != 0 {
				t.Skip("only root can unmount /proc")
			}
			l := liveIn(t, row.world, row.flags)
			if l.Result != "3" {
				t.Errorf("add(1, 2) = %s, %s, want 3", l.Result, l.Err)
			}
			off := make(map[string]string)
			for _, layer := range l.Sandbox {
				if !layer.On {
					off[layer.Name] = layer.Why
				}
			}
			for _, name := range row.off {
				if off[name] == "" {
					t.Errorf("%s is said to be on", name)
				}
				if !regexp.MustCompile(`\b` + name + `(, [a-z-]+)* \(`).MatchString(l.Strict) {
					t.Errorf("Strict: %.300s; want that %s is missing", l.Strict, name)
				}
				delete(off, name)
			}
			if os.Geteuid() != 0 && row.world == "no namespaces" {
				delete(off, "user")
			}
			if len(off) > 0 {
				t.Errorf("also off: %v", off)
			}
			if l.Warned != 1 {
				t.Errorf("it was logged %d times that layers are off, want once", l.Warned)
			}
		})
	}
}

// liveIn has a program live in a world.
func liveIn(t *testing.T, world string, flags uintptr) life {
	t.Helper()
	out := t.TempDir() + "/life"
	cmd := exec.Command(os.Args[0], "-test.run=^TestInAnotherWorld$", "-test.v", "-test.timeout=60s")
	cmd.Env = append(os.Environ(), worldVar+"="+world, worldVar+"_OUT="+out)
	cmd.SysProcAttr = &unix.SysProcAttr{Unshareflags: flags}
	said, err := cmd.CombinedOutput()
	if flags != 0 && errors.Is(err, unix.EPERM) {
		t.Skipf("this root lacks the rights of root: %v", err)
	}
	if err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	var l life
	if err := json.Unmarshal(b, &l); err != nil {
		t.Fatal(err)
	}
	return l
}
