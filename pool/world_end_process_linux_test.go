package pool_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wasmpool/wasmpool/pool"
)

// TestAsAProgramThatIsKilled is that program: it has a worker that is busy, one
// that is idle, and some that are just being started.
func TestAsAProgramThatIsKilled(t *testing.T) {
	if os.Getenv(worldVar) != "killed" {
		t.Skip("it is started by another test")
	}
	p := hostilePool(t, pool.Options{Min: 2, Max: 3})
	go func() { _, _ = p.Call(context.Background(), "echo", "loop") }() // ends with the program
	for {
		_, _ = p.Call(context.Background(), "hostile", "exit", "1", "") // and another one is started
	}
}

// TestAsTheOneWhoBuriesIt starts the program, kills it, and inherits what it
// leaves, which must be dead soon.
func TestAsTheOneWhoBuriesIt(t *testing.T) {
	if os.Getenv(worldVar) != "bury" {
		t.Skip("it is started by another test")
	}
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	for _, after := range []int{30, 50, 80, 120, 200, 300, 500} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestAsAProgramThatIsKilled$")
		cmd.Env = append(os.Environ(), worldVar+"=killed")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Duration(after) * time.Millisecond)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // it was killed
		left := 0
		for {
			_, err := unix.Wait4(-1, nil, 0, nil) // the test's own timeout ends this
			if errors.Is(err, unix.ECHILD) {
				break
			}
			if err == nil {
				left++
			}
		}
		t.Logf("killed after %d ms: %d processes died with it", after, left)
	}
}

func TestNoWorkerOutlivesAProgramThatIsKilled(t *testing.T) {
	cmd := exec.Command(os.Args[0], "-test.run=^TestAsTheOneWhoBuriesIt$", "-test.v", "-test.timeout=20s")
	cmd.Env = append(os.Environ(), worldVar+"=bury")
	said, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %.4000s", err, said)
	}
	// How far it comes by then is the machine's matter.
	if !regexp.MustCompile(` [2-9] processes died with it`).Match(said) {
		t.Errorf("it never had workers when it was killed: %s", said)
	}
}

func TestWorkersGoFirstWhenMemoryRunsOut(t *testing.T) {
	p := hostilePool(t, pool.Options{})
	unbroken(t, p)
	for _, w := range p.Stats().Workers {
		score, err := os.ReadFile(fmt.Sprintf("/proc/%d/oom_score_adj", w.PID))
		if err != nil || strings.TrimSpace(string(score)) != "1000" {
			t.Errorf("worker %d has the oom_score_adj %q, %v; want 1000", w.PID, score, err)
		}
	}
}

func TestAPoolWithoutDescriptorsSaysSoAndRecovers(t *testing.T) {
	p := hostilePool(t, pool.Options{})
	if got, err := p.Call(within(t), "echo", "add", 1, 2); err != nil || string(got) != "3" {
		t.Fatalf("add(1, 2) = %s, %v, want 3", got, err)
	}
	before := measure(t)
	var old unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	restore := func() { _ = unix.Setrlimit(unix.RLIMIT_NOFILE, &old) }
	defer restore()
	// Two more each time, for the start to fail in other places; the pauses between
	// starts get longer and longer.
	for room := 0; room < 16; room += 2 {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: uint64(before.descriptors + room), Max: old.Max}); err != nil {
			t.Fatal(err)
		}
		said, err := try(t, p, "nothing", nil)
		if err == nil {
			t.Logf("with room for %d descriptors a worker starts", room)
			break
		}
		if !strings.Contains(err.Error(), "too many open files") {
			t.Errorf("with room for %d: %q, %v, want that too many files are open", room, said, err)
		}
		if got, err := p.Call(within(t), "echo", "add", 1, 2); err != nil || string(got) != "3" {
			t.Errorf("with room for %d, add(1, 2) of another module = %s, %v, want 3", room, got, err)
		}
	}
	restore()
	honest(t, p)
	if err := p.Stop(within(t)); err != nil {
		t.Error(err)
	}
	before.compareRest(t)
}
