//go:build linux || darwin

package subprocess

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestAProgramIsItsOwnRunnerUnlessGoIsALibraryInIt(t *testing.T) {
	t.Parallel()
	if err := Embeddable(); err != nil {
		t.Errorf("Embeddable = %v in a program of Go", err)
	}
	if testing.Short() {
		t.Skip("the rest builds Go's library for C, which may take a minute")
	}
	for _, tool := range []string{"go", "gcc"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("the rest builds a C program: %v", err)
		}
	}
	for _, mode := range []string{"c-archive", "c-shared"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			library, program := filepath.Join(dir, "embedded.so"), filepath.Join(dir, "program")
			output(t, exec.Command("go", "build", "-buildmode="+mode, "-o", library, "./testdata/embedded"))
			gcc := exec.Command("gcc", "-o", program, "-x", "c", "-", "-x", "none", library, "-lpthread")
			gcc.Stdin = strings.NewReader("extern void embeddable(void);\nint main(void) { embeddable(); return 0; }\n")
			output(t, gcc)
			want := "subprocess: program built with -buildmode=" + mode + " cannot be its own runner: set Runner"
			if got := output(t, exec.Command(program)); got != want {
				t.Errorf("Embeddable = %q, want %q", got, want)
			}
		})
	}
}

// output runs a command and returns what it wrote.
func output(t *testing.T, c *exec.Cmd) string {
	t.Helper()
	c.Env = append(os.Environ(), "CGO_ENABLED=1")
	b, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", c, err, b)
	}
	return string(b)
}
