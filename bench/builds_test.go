package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestABuildIsMadeOnceAndSaidAndItsErrorHasWhatWasPrinted(t *testing.T) {
	t.Parallel()
	var said strings.Builder
	b := newBuilds(&said)
	runs := 0
	version := func(string) *exec.Cmd { runs++; return exec.CommandContext(t.Context(), "go", "version") }
	for range 2 {
		if _, err := b.once("the version", version); err != nil {
			t.Fatal(err)
		}
	}
	if runs != 1 || strings.Count(said.String(), "building the version") != 1 {
		t.Errorf("made %d times, saying %q, want once each", runs, said.String())
	}
	_, err := b.once("nothing", func(to string) *exec.Cmd {
		return exec.CommandContext(t.Context(), "go", "build", "-o", to, "./no-such-directory")
	})
	if err == nil || !strings.Contains(err.Error(), "building nothing") || !strings.Contains(err.Error(), "no-such-directory") {
		t.Errorf("a build that fails: %v, want what go says", err)
	}
	dir, err := b.dir()
	if err != nil {
		t.Fatal(err)
	}
	if err := b.close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Errorf("%s is left behind", dir)
	}
}
