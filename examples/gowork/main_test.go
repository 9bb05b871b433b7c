package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/wasmpool/wasmpool/internal/guestbuild"
)

func TestAGoWorkerCountsWords(t *testing.T) {
	t.Parallel()
	worker := filepath.Join(t.TempDir(), "worker.wasm")
	if err := os.WriteFile(worker, guestbuild.Go(t, "worker"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := run(&out, worker); err != nil || out.String() != "3 words\n" {
		t.Errorf("it wrote %q (%v), want that there are 3 words", out.String(), err)
	}
}
