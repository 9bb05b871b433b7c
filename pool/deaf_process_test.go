//go:build linux || darwin

package pool_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/wasmpool/wasmpool/pool"
)

// besideALoop is a pool with one worker of two calls at once, and what its
// guests log.
func besideALoop(t *testing.T) (p *pool.Pool, logs <-chan string) {
	t.Helper()
	heard := make(chan string, 1)
	p = start(t, pool.Options{
		Max: 1, Concurrency: 2, CancelGrace: patience, // a cancel that is not heard shows
		Events: pool.Events{Log: func(r pool.LogRecord) {
			if r.Source == "guest" && r.Message == "heard" {
				heard <- r.Message
			}
		}, WorkerExited: func(e pool.WorkerExit) {
			if t.Failed() {
				t.Logf("%+v", e)
			}
		}},
	})
	t.Cleanup(func() {
		if t.Failed() {
			autopsy(t, p)
		}
	})
	return p, heard
}

// autopsy tells what the threads of each worker are doing, and has it say what its
// goroutines are.
func autopsy(t *testing.T, p *pool.Pool) {
	t.Helper()
	stats := p.Stats()
	t.Logf("%+v", stats)
	for _, w := range stats.Workers {
		tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", w.PID))
		for _, task := range tasks {
			for _, what := range []string{"wchan", "syscall", "stat"} {
				b, _ := os.ReadFile(filepath.Join(task, what))
				t.Logf("%s %s: %s", task, what, b)
			}
		}
		_ = syscall.Kill(w.PID, syscall.SIGABRT) // its last words are the stacks
	}
}

// loop has a guest loop in the worker, right after quick calls, and returns what
// the loop ends with.
func loop(t *testing.T, p *pool.Pool) (end <-chan error) {
	t.Helper()
	for i := range 20 {
		if got, err := p.Call(within(t), "echo", "add", i); err != nil || string(got) != fmt.Sprint(i) {
			t.Fatalf("add(%d) before a loop = %s, %v", i, got, err)
		}
	}
	ended := make(chan error, 1) // no deadline: a worker whose runaway was given up gets no calls
	go func() { _, err := p.Call(t.Context(), "echo", "loop"); ended <- err }()
	until(t, "loop() runs", func() bool { return p.Stats().Running == 1 })
	return ended
}

// neighbours fails the test unless a call beside the loop is answered, a log
// record arrives and a cancel is heard.
func neighbours(t *testing.T, p *pool.Pool, logs <-chan string) {
	t.Helper()
	patient, end := context.WithTimeout(t.Context(), patience)
	defer end()
	for i := range 3 {
		if got, err := p.Call(patient, "echo", "add", i); err != nil || string(got) != fmt.Sprint(i) {
			t.Fatalf("add(%d) beside a loop = %s, %v", i, got, err)
		}
	}
	if _, err := p.Call(patient, "echo", "log", 0, "heard"); err != nil {
		t.Fatalf("log() beside a loop: %v", err)
	}
	<-logs
	ctx, cancel := context.WithCancel(patient)
	defer cancel()
	cancelled := make(chan error, 1)
	go func() { _, err := p.Call(ctx, "echo", "wait"); cancelled <- err }()
	until(t, "wait() runs beside a loop", func() bool { return p.Stats().Running == 2 })
	cancel()
	if err := <-cancelled; !errors.Is(err, context.Canceled) {
		t.Fatalf("wait() = %v, want that it was cancelled", err)
	}
	// The pool counts it no more, the worker does.
	until(t, "wait() has heard the cancel", func() bool { return p.Stats().Workers[0].Running == 1 })
}

// until yields until something is so.
func until(t testing.TB, what string, is func() bool) {
	t.Helper()
	for began := time.Now(); !is(); runtime.Gosched() {
		if time.Since(began) > patience {
			t.Fatalf("it never was so that %s", what)
		}
	}
}

// TestHammerAGuestThatLoopsKeepsNobodyFromBeingHeard starts many loops, each in
// a fresh process: whether a process was deaf depended on which of its threads
// happened to be given the loop.
func TestHammerAGuestThatLoopsKeepsNobodyFromBeingHeard(t *testing.T) {
	rounds := sized(500, 20)
	p, logs := besideALoop(t)
	for range rounds {
		end := loop(t, p)
		neighbours(t, p, logs)
		killOne(p)
		var lost *pool.UnexpectedExitError
		if err := <-end; !errors.As(err, &lost) {
			t.Fatalf("loop() = %v, want that its worker was lost", err)
		}
	}
}

// TestHammerAGuestThatLoopsForAMinuteKeepsNobodyFromBeingHeard holds the same
// for as long as any timer or monitor of a process may take to go wrong.
func TestHammerAGuestThatLoopsForAMinuteKeepsNobodyFromBeingHeard(t *testing.T) {
	long := sized(time.Minute, time.Second)
	p, logs := besideALoop(t)
	end := loop(t, p)
	rounds := 0
	for began := time.Now(); time.Since(began) < long; rounds++ {
		neighbours(t, p, logs)
	}
	t.Logf("%d rounds beside one loop", rounds)
	killOne(p)
	<-end
}
