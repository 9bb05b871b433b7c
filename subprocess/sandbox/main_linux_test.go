package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// The test binary is also the first stage and the worker: an environment
// variable tells which.
const roleVar = "SANDBOX_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(roleVar) {
	case "stage":
		stageMain()
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
	uid  int     // of the program that starts it; 0: that of the test
	uts  uintptr // clone flags of the program that starts it
}

// Descriptors of the first stage: its program, and what it reports to.
const (
	trialProgram = 3
	trialReport  = 4
)

// outcome is what has become of a trial.
type outcome struct {
	said   string // by the worker: "refused: …" or "done"
	report Report // by the stage
	claims Report // by the worker
	exit   string // how the worker ended, when it was killed
}

// result is what the first stage of a trial writes.
type result struct {
	PID    int
	Report Report
	Err    string
}

// run starts a worker as the parent does, and waits for its end.
func (tr trial) run(t *testing.T) outcome {
	t.Helper()
	exe, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer exe.Close()
	told, report, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer told.Close()
	var said bytes.Buffer
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = []string{
		roleVar + "=stage", "PLAN=" + tr.plan.Encode(), "ACT=" + tr.act, "ARG=" + tr.arg, "GOMAXPROCS=2", "GOTRACEBACK=none",
		"GODEBUG=containermaxprocs=0,updatemaxprocs=0,decoratemappings=0", "GOCOVERDIR=" + os.TempDir(),
	}
	out, theirs, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = theirs, theirs
	cmd.ExtraFiles = []*os.File{exe, report}
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: tr.uts}
	if tr.uid != 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(tr.uid), Gid: uint32(tr.uid)}
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = report.Close()
	_ = theirs.Close()
	var res result
	text, _ := io.ReadAll(told)
	if err := json.Unmarshal(text, &res); err != nil {
		_, _ = io.Copy(&said, out)
		t.Fatalf("the first stage said %q, %v: %s", text, err, said.String())
	}
	if err := cmd.Wait(); err != nil || res.Err != "" {
		t.Fatalf("the first stage: %v, %s", err, res.Err)
	}
	_, _ = io.Copy(&said, out)
	var status unix.WaitStatus
	if _, err := unix.Wait4(res.PID, &status, 0, nil); err != nil {
		t.Fatalf("the worker is no child of the one who started its first stage: %v", err)
	}
	o := outcome{report: res.Report}
	if status.Signaled() {
		o.exit = status.Signal().String()
	}
	// The race detector complains before, where there is no /proc.
	claims, verdict, _ := strings.Cut(said.String()[max(0, strings.Index(said.String(), "{")):], "\n")
	o.said = strings.TrimSpace(verdict)
	if err := json.Unmarshal([]byte(claims), &o.claims); err != nil {
		t.Fatalf("the worker said %q: %v", said.String(), err)
	}
	return o
}

func stageMain() {
	var res result
	plan, err := ParsePlan(os.Getenv("PLAN"))
	if err == nil {
		env := append(os.Environ(), roleVar+"=worker")
		res.PID, res.Report, err = Enter(Entry{
			Plan: plan, Program: trialProgram, Open: trialProgram, Args: []string{"worker"}, Env: env[1:],
		})
	}
	if err != nil {
		res.Err = err.Error()
	}
	_ = json.NewEncoder(os.NewFile(trialReport, "report")).Encode(res)
	os.Exit(0)
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
