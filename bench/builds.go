package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
)

// builds makes what rows need of the Go toolchain. Each is made once, when the
// first row that needs it is started, and no sooner: most runs have no use for
// all of them.
type builds struct {
	dir   func() (string, error)
	made  sync.Map // what was to be made → func() (string, error)
	says  io.Writer
	close func() error
}

// newBuilds returns builds that say to w what they are doing, since it takes a
// while when Go's build cache has nothing of it.
func newBuilds(w io.Writer) *builds {
	var dir string
	b := &builds{says: w}
	b.dir = sync.OnceValues(func() (_ string, err error) {
		dir, err = os.MkdirTemp("", "wasmpool-bench-")
		return dir, err
	})
	b.close = func() error { return os.RemoveAll(dir) } // nothing, if nothing was made
	return b
}

// guest is the Go guest of the directory guest, as WebAssembly.
func (b *builds) guest(ctx context.Context) ([]byte, error) {
	file, err := b.once("the Go guest", func(to string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, "go", "build", "-buildmode=c-shared", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", to, "./guest")
		cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
		return cmd
	})
	if err != nil {
		return nil, err
	}
	return os.ReadFile(file)
}

// runner is the path of cmd/wasmpool-runner, built as it says itself.
func (b *builds) runner(ctx context.Context) (string, error) {
	return b.once("wasmpool-runner", func(to string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s", "-o", to, "github.com/wasmpool/wasmpool/cmd/wasmpool-runner")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		return cmd
	})
}

// once runs the command that makes what, and returns the file that it made.
func (b *builds) once(what string, command func(to string) *exec.Cmd) (string, error) {
	build, _ := b.made.LoadOrStore(what, sync.OnceValues(func() (string, error) {
		dir, err := b.dir()
		if err != nil {
			return "", fmt.Errorf("making a directory to build %s in: %w", what, err)
		}
		fmt.Fprintf(b.says, "\rbuilding %s, which takes a while the first time\n", what)
		file := filepath.Join(dir, what)
		if said, err := command(file).CombinedOutput(); err != nil {
			return "", fmt.Errorf("building %s: %w: %s", what, err, said)
		}
		return file, nil
	}))
	return build.(func() (string, error))()
}
