package pool_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wasmpool/wasmpool/internal/takenover"
	"github.com/wasmpool/wasmpool/pool"
	"github.com/wasmpool/wasmpool/testdata/wasm"
)

// The tests of a worker that was taken over have a copy of the test binary serve,
// with a part that is written into it: package takenover says what it does. What a try comes to is the
// result of the call that has it tried, or the end of the process.
//
// They do not run in parallel with others: they count what this process has open
// and holds.

// takenOver returns the path of a runner that was taken over, and plays a part.
func takenOver(t *testing.T, part string) string {
	t.Helper()
	path := filepath.Join(sharedCache, "taken-over-"+part)
	if _, err := os.Stat(path); err == nil {
		return path // an earlier test has made it
	}
	own, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	program, err := takenover.WithPart(own, part)
	if err == nil {
		err = os.WriteFile(path, program, 0o755) //nolint:gosec // another user executes it
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// hostilePool starts a pool with a runner that was taken over, which has args
// for the time before its seal.
func hostilePool(t *testing.T, o pool.Options, args ...string) *pool.Pool {
	t.Helper()
	if o.Runner == "" {
		o.Runner = takenOver(t, takenover.Plain)
	}
	if raceEnabled {
		// The detector takes addresses by the terabyte.
		o.Limits.ProcessBytes, o.Limits.CompileBytes = 1<<40, 1<<40
	}
	o.Modules = map[string]pool.Module{
		takenover.Hostile: {Bytes: wasm.Module("dispatch"), Args: args},
		"echo":            {Bytes: wasm.Module("echo")},
	}
	if o.Logger == nil && !testing.Verbose() {
		o.Logger = quiet
	}
	o.DisableCache = o.CacheDir == ""
	if o.Max == 0 {
		o.Max = 2
	}
	if o.CancelGrace == 0 {
		o.CancelGrace = 20 * time.Millisecond
	}
	if o.Logger == nil {
		o.Logger = quiet
	}
	return start(t, o)
}

// try has something tried and returns what came of it.
func try(t *testing.T, p *pool.Pool, what string, args []string, options ...pool.CallOption) (string, error) {
	t.Helper()
	given := make([]any, len(args))
	for i, a := range args {
		given[i] = a
	}
	var said string
	got, err := p.Proxy(takenover.Hostile, what, options...)(within(t), given...)
	if err == nil {
		err = json.Unmarshal(got, &said)
	}
	return said, err
}

// honest fails the test unless the pool serves on: another module, and this one.
func honest(t *testing.T, p *pool.Pool) {
	t.Helper()
	if got, err := p.Call(within(t), "echo", "add", 1, 2); err != nil || string(got) != "3" {
		t.Fatalf("add(1, 2) of another module = %s, %v, want 3", got, err)
	}
	if got, err := try(t, p, "nothing", nil); err != nil || got != "done" {
		t.Fatalf("the next call of the same module = %q, %v, want it done", got, err)
	}
}

// What a try can come to.
const (
	done      = "done"
	refusedBy = "refused: "
	killedBy  = "killed: "
)

// cameTo is one of these and the reason, for what a try has ended with.
func cameTo(said string, err error) string {
	var lost *pool.UnexpectedExitError
	if errors.As(err, &lost) && lost.Signal != "" {
		return fmt.Sprint(killedBy, lost.Signal, ": ", lost.Because)
	}
	if err != nil {
		return err.Error()
	}
	return said
}

// comesTo reports whether a try came to what is wanted: one of several, or
// anything.
func comesTo(got string, want []string) bool {
	for _, w := range want {
		if got == w || w != done && strings.HasPrefix(got, w) {
			return true
		}
	}
	return len(want) == 0
}
