package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// asCommand makes the test binary the command. The processes that it starts are
// the test binary, too: importing package pool takes over in them.
const asCommand = "WASMPOOL_TEST_AS_COMMAND"

// deadline bounds what must not take for ever. It is no measure of anything.
const deadline = 60 * time.Second

// home is the home directory of the command, with its cache.
var home string

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "wasmpool-command-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		home = dir
		return m.Run()
	}())
}

// outcome is what a command line came to.
type outcome struct {
	code           int
	stdout, stderr string
}

// prepared is the command, ready to run.
func prepared(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Env = []string{asCommand + "=1", "HOME=" + home, "XDG_CACHE_HOME=" + filepath.Join(home, "cache"), "SECRET=of the host"}
	return cmd
}

var (
	pids = regexp.MustCompile(`(?m)^\[\d+ `)
	// What a busy machine brings, and what a module logs when it is asked to stop.
	asides = regexp.MustCompile(`(?m)^(compiling .* …|\[PID INFO\] signal 15)\n`)
)

// plain is what was written on standard error, without asides and with all
// processes called PID.
func plain(stderr string) string {
	return asides.ReplaceAllString(pids.ReplaceAllString(stderr, "[PID "), "")
}

// wasmpool runs a command line; what it wrote on standard error is plain.
func wasmpool(t *testing.T, stdin string, args ...string) outcome {
	t.Helper()
	cmd := prepared(t, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &stdout, &stderr
	err := cmd.Run()
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() < 0 {
		t.Fatalf("wasmpool %q: %v\n%s", args, err, stderr.Bytes())
	}
	return outcome{cmd.ProcessState.ExitCode(), stdout.String(), plain(stderr.String())}
}

// module is the path of one of the committed modules.
func module(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs("../../testdata/wasm/" + name + ".wasm")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// like reports whether a text is as wanted, where "[…]" stands for any text.
func like(got, want string) bool {
	parts := strings.Split(want, "[…]")
	for i, part := range parts {
		parts[i] = regexp.QuoteMeta(part)
	}
	return regexp.MustCompile(`(?s)^` + strings.Join(parts, ".*") + `$`).MatchString(got)
}

// check compares an outcome with the one that is wanted.
func (got outcome) check(t *testing.T, want outcome) {
	t.Helper()
	if got.code != want.code {
		t.Errorf("exit code %d, want %d", got.code, want.code)
	}
	if !like(got.stdout, want.stdout) {
		t.Errorf("standard output\n%s\nwant\n%s", got.stdout, want.stdout)
	}
	if !like(got.stderr, want.stderr) {
		t.Errorf("standard error\n%s\nwant\n%s", got.stderr, want.stderr)
	}
}
