package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// The test binary is also the parent and the worker: an environment
// variable tells which.
const roleVar = "SANDBOX_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(roleVar) {
	case "parent":
		parentMain()
	case "worker":
		workerMain()
	case "euid":
		fmt.Fprint(os.Stdout, os.Geteuid())
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// trial is a worker that tries something behind a wall.
type trial struct {
	plan Plan
	act  string // of acts
	arg  string
	uid  int // of the program that starts it; 0: that of the test

	fixed bool // as on a machine whose root cannot be exchanged
	old   bool // as on one that cannot close descriptors by their range
	free  int  // descriptors of the program that starts it, less one; 0: as many as it wants
}

// reportFD is where the parent of a trial writes its result.
const reportFD = 3

// outcome is what has become of a trial.
type outcome struct {
	said   string // by the worker: "refused: …" or "done"
	report Report // by the parent
	claims Report // by the worker
	exit   string // how the worker ended, when it was killed
	failed string // why there is no worker
}

// result is what the parent of a trial writes.
type result struct {
	Report Report
	Exit   string
	Err    string
}

// run starts a worker by a program that may be another user's, and waits for its
// end.
func (tr trial) run(t *testing.T) outcome {
	t.Helper()
	told, report, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer told.Close()
	out, theirs, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(goEnv(), roleVar+"=parent", "PLAN="+tr.plan.Encode(), "ACT="+tr.act, "ARG="+tr.arg, fmt.Sprint("FIXED=", tr.fixed), fmt.Sprint("OLD=", tr.old), fmt.Sprint("FREE=", tr.free))
	cmd.Stdout, cmd.Stderr = theirs, theirs
	cmd.ExtraFiles = []*os.File{report}
	if tr.uid != 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(tr.uid), Gid: uint32(tr.uid)}}
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_, _ = report.Close(), theirs.Close()
	var res result
	text, _ := io.ReadAll(told)
	said, _ := io.ReadAll(out)
	if err := errors.Join(json.Unmarshal(text, &res), cmd.Wait()); err != nil || res.Err != "" && tr.free == 0 {
		t.Fatalf("the parent said %q, %v, %s: %s", text, err, res.Err, said)
	}
	if res.Err != "" {
		return outcome{failed: res.Err}
	}
	o := outcome{report: res.Report, exit: res.Exit}
	// The race detector complains before, where there is no /proc.
	claims, verdict, _ := strings.Cut(string(said[max(0, bytes.IndexByte(said, '{')):]), "\n")
	o.said = strings.TrimSpace(verdict)
	if err := json.Unmarshal([]byte(claims), &o.claims); err != nil {
		t.Fatalf("the worker said %q: %v", said, err)
	}
	return o
}

// goEnv is what Go's runtime is told in a process behind a wall.
func goEnv() []string {
	return []string{
		"GOMAXPROCS=2", "GOTRACEBACK=none", "GODEBUG=containermaxprocs=0,updatemaxprocs=0,decoratemappings=0", "GOCOVERDIR=" + os.TempDir(),
	}
}

// parentMain is a program that starts a worker and tells how it ended.
func parentMain() {
	runtime.LockOSThread() // the worker ends with it
	var res result
	err := func() error {
		plan, err := ParsePlan(os.Getenv("PLAN"))
		if err != nil {
			return err
		}
		exe, err := os.Open("/proc/self/exe")
		if err != nil {
			return err
		}
		env := append(goEnv(), roleVar+"=worker", "PLAN="+plan.Encode(), "ACT="+os.Getenv("ACT"), "ARG="+os.Getenv("ARG"))
		var pid int
		b := newBirth(Entry{
			Plan: plan, Program: exe, Args: []string{"worker"}, Env: env, Files: []*os.File{os.Stdin, os.Stdout, os.Stderr},
		})
		b.fixed, b.alone = os.Getenv("FIXED") == "true", os.Getenv("OLD") != "true"
		if err := unix.Dup3(0, inheritedFD, 0); err != nil {
			return err
		}
		if free := number(os.Getenv("FREE")); free > 0 {
			defer hoard(free - 1)()
		}
		pid, res.Report, err = b.enter()
		if err != nil {
			return err
		}
		var status unix.WaitStatus
		if _, err := unix.Wait4(pid, &status, 0, nil); err != nil {
			return err
		}
		if status.Signaled() {
			res.Exit = status.Signal().String()
		}
		return nil
	}()
	if err != nil {
		res.Err = err.Error()
	}
	_ = json.NewEncoder(os.NewFile(reportFD, "report")).Encode(res)
	os.Exit(0)
}

// inheritedFD is a descriptor that a program was started with, and that is not to
// be closed by an exec.
const inheritedFD = 40

// hoard opens descriptors until there are only so many left to open, and returns
// what closes them.
func hoard(left int) (release func()) {
	limit := unix.Rlimit{Cur: 100, Max: 100}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		panic(err)
	}
	var fds []int
	for {
		fd, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			break
		}
		fds = append(fds, fd)
	}
	for _, fd := range fds[:left] {
		_ = unix.Close(fd)
	}
	return func() {
		for _, fd := range fds[left:] {
			_ = unix.Close(fd)
		}
	}
}

func workerMain() {
	plan, err := ParsePlan(os.Getenv("PLAN"))
	if err != nil {
		panic(err)
	}
	now, _ := Addresses(os.Getpid()) // 0 where there is no /proc: then nothing is tried
	w, report := Confine(plan)
	fmt.Fprintln(os.Stdout, string(report.Encode()))
	if now > 0 {
		if err := w.LimitAddresses(now + 256<<20); err != nil {
			panic(err)
		}
	}
	if err := w.Seal(); err != nil {
		panic(err)
	}
	if err := acts[os.Getenv("ACT")](os.Getenv("ARG")); err != nil {
		fmt.Fprintln(os.Stdout, "refused:", err)
	} else {
		fmt.Fprintln(os.Stdout, "done")
	}
	os.Exit(0)
}

func number(arg string) int {
	n, err := strconv.Atoi(arg)
	if err != nil {
		panic(err)
	}
	return n
}
