package main

import (
	"context"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/wasmpool/wasmpool/pool"
)

func TestTheCommandIsARunner(t *testing.T) {
	t.Parallel()
	runner := filepath.Join(t.TempDir(), "wasmpool")
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	if output, err := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", runner, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, output)
	}
	p, err := pool.New(pool.Options{Runner: runner, CacheDir: filepath.Join(t.TempDir(), "cache")})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	got, err := p.Call(ctx, module(t, "echo"), "add", 2, 3)
	if err != nil || string(got) != "5" {
		t.Errorf("add(2, 3) = %s, %v, want 5", got, err)
	}
}
