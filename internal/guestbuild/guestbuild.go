// Package guestbuild builds Go workers for tests.
package guestbuild

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// built remembers what each package became: a test binary builds one once.
var built sync.Map // directory → func() result

type result struct {
	wasm   []byte
	output string
	err    error
}

// Go returns the WASI reactor that the Go package in dir compiles to; dir is
// relative to the test's working directory. It fails the test if the package
// does not compile. Go's build cache makes it quick in the next test binary. It
// is safe for concurrent use; the bytes are shared and must not be changed.
func Go(t testing.TB, dir string) []byte {
	t.Helper()
	dir, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	build, _ := built.LoadOrStore(dir, sync.OnceValue(func() result { return compile(dir) }))
	r := build.(func() result)()
	if r.err != nil {
		t.Fatalf("guestbuild: %s: %v\n%s", dir, r.err, r.output)
	}
	return r.wasm
}

func compile(dir string) result {
	temp, err := os.MkdirTemp("", "guestbuild")
	if err != nil {
		return result{err: err}
	}
	defer os.RemoveAll(temp)
	file := filepath.Join(temp, "worker.wasm")
	// Not bound to the test that happens to come first: others wait for it too.
	cmd := exec.Command("go", "build", "-buildmode=c-shared", "-trimpath", "-ldflags=-s -w", "-o", file, ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0", "GOFLAGS=-buildvcs=false", "GOWORK=off")
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Run(); err != nil {
		return result{output: output.String(), err: err}
	}
	wasm, err := os.ReadFile(file)
	return result{wasm: wasm, err: err}
}
