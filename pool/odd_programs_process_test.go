//go:build linux

package pool_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// program builds a program that has a pool, and returns its path. Its source is
// in testdata, so that it is no part of this module's packages.
func program(t *testing.T, name string, env []string, flags ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	ctx, cancel := context.WithTimeout(t.Context(), 5*patience)
	defer cancel()
	build := exec.CommandContext(ctx, "go", append(append([]string{"build", "-buildvcs=false", "-o", path}, flags...), "../internal/child/testdata/programs/"+name)...)
	build.Env = append(os.Environ(), env...)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build %s: %v\n%s", name, err, out)
	}
	return path
}

// runner is the smallest one, without cgo.
func runner(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "wasmpool-runner")
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-trimpath", "-ldflags=-s", "-o", path, "../cmd/wasmpool-runner")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build wasmpool-runner: %v\n%s", err, out)
	}
	return path
}

// TestOddProgramsWorkOrSayWhatToDo runs programs that do something when their
// packages are initialized, or that are linked in other ways than most. Each
// adds two numbers in a worker, with the runner that it is given, or with itself.
func TestOddProgramsWorkOrSayWhatToDo(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds programs")
	}
	t.Parallel()
	const added = "3\n"
	small := runner(t)
	for _, row := range []struct {
		name, source string
		env, flags   []string
		want         []string // in what it prints, running its workers itself
	}{
		{name: "linked with cgo", source: "plain", env: []string{"CGO_ENABLED=1"}, want: []string{added}},
		{name: "linked without", source: "plain", env: []string{"CGO_ENABLED=0"}, want: []string{added}},
		{name: "with the race detector", source: "plain", env: []string{"CGO_ENABLED=1"}, flags: []string{"-race"}, want: []string{added, "memory (the race detector"}},
		{
			name: "whose init needs its environment", source: "needy", env: []string{"CGO_ENABLED=0"},
			want: []string{"did not become ready", "set Options.Runner", "NEEDED is not set"},
		},
		{name: "whose init leaves a goroutine behind", source: "busy", env: []string{"CGO_ENABLED=0"}, want: []string{added}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if strings.Contains(strings.Join(row.env, " "), "CGO_ENABLED=1") {
				if _, err := exec.LookPath("gcc"); err != nil {
					t.Skip("there is no C compiler here")
				}
			}
			path := program(t, row.source, row.env, row.flags...)
			for runner, wants := range map[string][]string{"": row.want, small: {added}} {
				run := exec.CommandContext(within(t), path, runner)
				run.Env = append(os.Environ(), "NEEDED=here", "XDG_CACHE_HOME="+t.TempDir())
				out, err := run.CombinedOutput()
				for _, want := range wants {
					if !strings.Contains(string(out), want) {
						t.Errorf("with runner %q: %v\n%s\nwant %q in it", runner, err, out, want)
					}
				}
			}
		})
	}
}
