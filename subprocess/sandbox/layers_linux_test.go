package sandbox

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// acts are what a worker may try.
var acts = map[string]func(arg string) error{
	"nothing": func(string) error { return nil },
	"read":    func(path string) error { _, err := os.ReadFile(path); return err },
	"signal":  func(pid string) error { return unix.Kill(number(pid), 0) },
	"connect": func(address string) error { return errOf(net.Dial("tcp", address)) },
	"attach":  func(key string) error { _, err := unix.SysvShmGet(number(key), 0, 0); return err },
	"rename":  func(name string) error { return unix.Sethostname([]byte(name)) },
	"chroot":  func(string) error { return unix.Chroot("/") },
	"become": func(path string) error {
		out, err := become(path)
		if err == nil && string(out) == fmt.Sprint(os.Geteuid()) {
			err = errors.New("no other user came of it")
		}
		return err
	},
	"open many": func(string) error {
		for range 2 * maxDescriptors {
			if _, err := unix.Dup(1); err != nil {
				return err
			}
		}
		return nil
	},
	"be kept": func(string) error {
		score, err := os.ReadFile("/proc/self/oom_score_adj")
		if err == nil && strings.TrimSpace(string(score)) == "1000" {
			err = errors.New("it is the first to go")
		}
		return err
	},
	"reserve": func(string) error {
		_, err := unix.Mmap(-1, 0, 1<<30, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON)
		return err
	},
	"use descriptor": func(fd string) error { var st unix.Stat_t; return unix.Fstat(number(fd), &st) },
	"socket":         func(string) error { _, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0); return err },
	"new code":       func(string) error { return newCode() },
}

func errOf[T any](_ T, err error) error { return err }

// newCode makes memory that is executable.
func newCode() error {
	_, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANON)
	return err
}

// Layers hide each other: what one refuses the next one never sees. So each is
// tried alone, and none.
func TestEachLayerRefusesByItselfWhatIsAllowedWithoutIt(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	open(t, filepath.Dir(secret))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	for _, row := range []struct {
		layer Layer
		act   string
		arg   string
		root  bool // the act is for root only
		uid   int  // who starts it
		exit  string
	}{
		{layer: User, act: "read", arg: secret, root: true},
		{layer: PID, act: "signal", arg: fmt.Sprint(os.Getpid())},
		{layer: Net, act: "connect", arg: listener.Addr().String()},
		{layer: IPC, act: "attach", arg: fmt.Sprint(segment(t))},
		{layer: Root, act: "read", arg: "/etc/passwd"},
		{layer: Capabilities, act: "chroot", root: true},
		{layer: NoNewPrivs, act: "become", arg: setuid(t), root: true},
		{layer: Landlock, act: "read", arg: "/etc/passwd"},
		{layer: Limits, act: "open many"},
		{layer: Opaque, act: "read", arg: "/proc/self/environ", uid: nobody},
		{layer: Expendable, act: "be kept"},
		{layer: Memory, act: "reserve"},
		{layer: Syscalls, act: "socket"},
		{layer: Code, act: "new code", exit: "bad system call"},
	} {
		t.Run(row.layer.String(), func(t *testing.T) {
			if row.root && os.Geteuid() != 0 {
				t.Skip("it takes root to be allowed this")
			}
			if row.act == "become" && row.arg == "" {
				t.Skip("no setuid program can be made here")
			}
			if os.Geteuid() != 0 {
				row.uid = 0 // it is somebody already
			}
			if row.root || row.uid != 0 {
				needPrivileges(t)
			}
			without := trial{act: row.act, arg: row.arg, uid: row.uid}.run(t)
			if without.said != "done" {
				t.Fatalf("without a wall, %s %s: %q %s; want it done", row.act, row.arg, without.said, without.exit)
			}
			with := trial{plan: Plan{Layers: SetOf(row.layer)}, act: row.act, arg: row.arg, uid: row.uid}.run(t)
			if why := with.report[row.layer]; why != "" {
				t.Skipf("this machine has no such layer: %s", why)
			}
			if why := with.claims[row.layer]; why != "" {
				t.Errorf("the worker finds the layer off: %s", why)
			}
			if with.exit != row.exit || row.exit == "" && !strings.HasPrefix(with.said, "refused: ") {
				t.Errorf("behind %v alone, %s %s: %q %s; want it refused", row.layer, row.act, row.arg, with.said, with.exit)
			}
		})
	}
}

// needPrivileges skips the test where root has not the rights of root: to become
// somebody else, and to change its root directory.
func needPrivileges(t *testing.T) {
	t.Helper()
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var have [2]unix.CapUserData
	if err := unix.Capget(&head, &have[0]); err != nil {
		t.Fatal(err)
	}
	for _, c := range []int{unix.CAP_SETUID, unix.CAP_SETGID, unix.CAP_SYS_CHROOT} {
		if have[c/32].Effective&(1<<(c%32)) == 0 {
			t.Skipf("it takes capability %d to be allowed this", c)
		}
	}
}

// A machine that runs from its initial RAM file system cannot exchange its root.
func TestARootThatCannotBeExchangedIsCovered(t *testing.T) {
	for _, path := range []string{"/etc/passwd", "/../etc/passwd", "../../../../etc/passwd"} {
		o := trial{plan: Plan{Layers: SetOf(Root)}, act: "read", arg: path, fixed: true}.run(t)
		if why := o.report[Root]; why != "" {
			t.Skipf("this machine has no such layer: %s", why)
		}
		if why := o.claims[Root]; why != "" || !strings.HasPrefix(o.said, "refused: ") {
			t.Errorf("reading %s: %q; the worker finds %q; want it refused", path, o.said, why)
		}
	}
}

func TestAWorkerHasNoDescriptorThatItWasNotGiven(t *testing.T) {
	for _, old := range []bool{false, true} {
		for _, layers := range []Set{SetOf(NoNewPrivs), All.Without(SetOf(Memory))} {
			o := trial{plan: Plan{Layers: layers}, act: "use descriptor", arg: fmt.Sprint(inheritedFD), old: old}.run(t)
			if !strings.HasPrefix(o.said, "refused: bad file descriptor") {
				t.Errorf("with layers %v, close_range %v: %q; want that it is not there", layers.Layers(), !old, o.said)
			}
		}
	}
}

// Whoever can fill the descriptors of a program must not have its workers do
// without walls.
func TestAProgramShortOfDescriptorsStartsNoWorkerWithLessOfAWall(t *testing.T) {
	plan := Plan{Layers: All.Without(SetOf(Memory))}
	want := trial{plan: plan, act: "nothing"}.run(t).report.On()
	var failed, started int
	for free := range 16 {
		o := trial{plan: plan, act: "nothing", free: free + 1}.run(t)
		switch {
		case o.failed == "":
			started++
			if got := o.report.On(); got != want {
				t.Errorf("with %d descriptors left, a worker has the layers %v, want %v or no worker", free, got.Layers(), want.Layers())
			}
		case strings.Contains(o.failed, "too many open files"):
			failed++
		default:
			t.Errorf("with %d descriptors left: %s; want that there are too many open files", free, o.failed)
		}
	}
	if failed == 0 || started == 0 {
		t.Errorf("%d starts failed and %d did not: want some of both", failed, started)
	}
}

func TestAWorkerLivesUntilItTriesWhatIsDeadly(t *testing.T) {
	deadly := Plan{Layers: All, Deadly: true}
	for _, row := range []struct{ act, said, exit string }{
		{act: "nothing", said: "done"},
		{act: "socket", exit: "bad system call"},
	} {
		o := trial{plan: deadly, act: row.act}.run(t)
		if o.said != row.said || o.exit != row.exit || o.claims[Syscalls] != "" {
			t.Errorf("%s: %q %s, it finds its filter %q; want %q %s", row.act, o.said, o.exit, o.claims[Syscalls], row.said, row.exit)
		}
	}
}

func TestAnotherNameOfTheMachineIsAnotherMatter(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("it takes root to name a machine")
	}
	// The program itself is in a namespace of a thread here, to be looked at.
	runtime.LockOSThread() // for ever: the thread ends with the test
	if err := unix.Unshare(unix.CLONE_NEWUTS); err != nil {
		t.Skipf("no namespaces here: %v", err)
	}
	for _, row := range []struct {
		layers Set
		want   string
	}{{0, "broken"}, {SetOf(UTS), "whole"}} {
		if err := unix.Sethostname([]byte("whole")); err != nil {
			t.Fatal(err)
		}
		if o := (trial{plan: Plan{Layers: row.layers}, act: "rename", arg: "broken"}).run(t); o.report[UTS] != "" {
			t.Skipf("this machine has no such layer: %s", o.report[UTS])
		}
		if got, err := hostname(); err != nil || got != row.want {
			t.Errorf("with layers %v the worker's new name is %q here, %v; want %q", row.layers.Layers(), got, err, row.want)
		}
	}
}

func hostname() (string, error) {
	var u unix.Utsname
	err := unix.Uname(&u)
	return unix.ByteSliceToString(u.Nodename[:]), err
}

// open lets other users pass a directory of the test, and those above it.
func open(t *testing.T, dir string) {
	t.Helper()
	for ; dir != filepath.Clean(os.TempDir()) && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

// segment makes shared memory that everybody may find.
func segment(t *testing.T) (key int) {
	t.Helper()
	key = 0x7761_0000 | os.Getpid()&0xffff
	id, err := unix.SysvShmGet(key, 4096, unix.IPC_CREAT|unix.IPC_EXCL|0o666)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = unix.SysvShmCtl(id, unix.IPC_RMID, nil) })
	return key
}

// setuid makes a program that prints the user it becomes, which is nobody.
func setuid(t *testing.T) string {
	t.Helper()
	program, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	open(t, dir)
	path := filepath.Join(dir, "program")
	for _, err := range []error{
		os.WriteFile(path, program, 0o755),
		os.Chown(path, nobody, nobody),
		os.Chmod(path, 0o755|os.ModeSetuid),
	} {
		if err != nil {
			return ""
		}
	}
	var st unix.Statfs_t
	if unix.Statfs(path, &st) != nil || st.Flags&unix.MS_NOSUID != 0 {
		return ""
	}
	return path
}

// become executes a setuid program, and returns whom it says it is.
func become(path string) ([]byte, error) {
	cmd := exec.Command(path)
	cmd.Env = []string{roleVar + "=euid"}
	return cmd.Output()
}
