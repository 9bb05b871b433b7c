package subprocess

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wasmpool/wasmpool/subprocess/sandbox"
)

// A child whose wall has layers that must be there before it executes comes to
// be in two stages:
//
//	parent                      first stage              worker
//	   │ ── executes ──────────────▶ │
//	   │                             │ ── clones ─────────▶ │  as a child of the parent
//	   │                             │                      │  builds, and executes
//	   │ ◀── its pid, what was built │
//	   │                             ╵  ends
//	   │ ◀──────────────────────────────────────── hello ── │

// staged is the environment variable that makes a child a first stage.
const staged = "WASMPOOL_STAGE"

// The descriptors of a first stage, beside those that it hands on.
const (
	programFD = 6 // to be executed
	birthFD   = 7 // a pipe, for the birth
)

// birth is what a first stage says.
type birth struct {
	PID    int            `json:"pid"`
	Report sandbox.Report `json:"report,omitempty"`
	Error  string         `json:"error,omitempty"` // nothing was started
}

// maxBirthBytes bounds a birth. A guess: fifteen sentences.
const maxBirthBytes = 64 << 10

// start executes the runner, or this program again, behind the layers that are
// built before a program starts.
func (b *osBody) start(o Options, files []*os.File) error {
	program, path, err := program(o)
	if err != nil {
		return err
	}
	defer program.Close()
	if !o.Sandbox.Staged() {
		b.process, err = startProcess(path, title(o), environment(o), files)
		return err
	}
	told, theirs, err := os.Pipe()
	if err != nil {
		return err
	}
	defer told.Close()
	stage, err := startProcess(path, title(o), append(environment(o), staged+"=1"), append(files, program, theirs)) // 6 and 7
	_ = theirs.Close()
	if err != nil {
		return err
	}
	born, err := listen(told, o.StartTimeout)
	if err != nil {
		_ = stage.Kill() // an error: it has ended
	}
	// A first stage that has told of a worker has nothing left to do, and if it
	// does not end by itself it is ended.
	impatient := time.AfterFunc(o.StartTimeout, func() { _ = stage.Kill() })
	_, _ = stage.Wait()
	impatient.Stop()
	if err != nil {
		return &stageError{err, b.said}
	}
	if !isChild(born.PID) {
		return &stageError{fmt.Errorf("it started process %d, which is no child of this program", born.PID), b.said}
	}
	if b.process, err = os.FindProcess(born.PID); err != nil {
		return err
	}
	b.report = born.Report
	return nil
}

// stageError is what went wrong with a first stage. What that said is read when
// the error is: it may still be on its way when the error comes to be.
type stageError struct {
	err  error
	said *tail
}

func (e *stageError) Error() string {
	return fmt.Sprintf("the first stage of the sandbox: %v; it said: %q", e.err, e.said)
}

func (e *stageError) Unwrap() error { return e.err }

// isChild reports whether a process is a child of this one that is not reaped:
// only such a one may ever be killed.
func isChild(pid int) bool {
	return pid > 0 && unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil) == nil
}

// listen takes what a first stage says.
func listen(told *os.File, patience time.Duration) (*birth, error) {
	_ = told.SetReadDeadline(time.Now().Add(patience))
	text, err := io.ReadAll(io.LimitReader(told, maxBirthBytes))
	if err != nil {
		return nil, err
	}
	if len(text) == 0 {
		return nil, ErrNoHello // it is the program that begins to run, whatever stage it is
	}
	b := new(birth)
	if err := json.Unmarshal(text, b); err != nil {
		return nil, err
	}
	if b.Error != "" {
		return nil, errors.New(b.Error)
	}
	return b, nil
}

// program opens what is to be executed, and says by which path: this program
// itself, as it runs now, even if the file at its path was replaced.
func program(o Options) (*os.File, string, error) {
	path := o.Runner
	if path == "" {
		path = "/proc/self/exe"
		if _, err := os.Lstat(path); err != nil { // there is no /proc
			own, err := os.Executable()
			if err != nil {
				return nil, "", err
			}
			path = own
		}
	}
	// A file that may be executed need not be one that may be read.
	f, err := os.OpenFile(path, os.O_RDONLY, 0)
	if errors.Is(err, os.ErrPermission) {
		f, err = os.OpenFile(path, unix.O_PATH, 0)
	}
	return f, path, err
}

// enterIfStaged is the life of a first stage. In any other process it does
// nothing.
func enterIfStaged() {
	if os.Getenv(staged) == "" {
		return
	}
	var b birth
	plan, err := sandbox.ParsePlan(os.Getenv(planned))
	if err == nil {
		b.PID, b.Report, err = sandbox.Enter(sandbox.Entry{
			Plan: plan, Program: programFD, Args: os.Args, Env: without(os.Environ(), staged+"="), Open: programFD,
		})
	}
	if err != nil {
		b.Error = err.Error()
	}
	text, err := json.Marshal(b)
	if err == nil {
		_, err = os.NewFile(birthFD, "birth").Write(text)
	}
	if err != nil {
		fail("birth", err)
	}
	os.Exit(exitStopped)
}

func without(env []string, prefix string) []string {
	var rest []string
	for _, e := range env {
		if len(e) < len(prefix) || e[:len(prefix)] != prefix {
			rest = append(rest, e)
		}
	}
	return rest
}
