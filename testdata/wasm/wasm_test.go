package wasm

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestModulesAreThoseOfTheDigests sees that no module was replaced without its
// digest, nor forgotten.
func TestModulesAreThoseOfTheDigests(t *testing.T) {
	t.Parallel()
	sums, err := os.ReadFile("SHA256SUMS")
	if err != nil {
		t.Fatal(err)
	}
	want := make(map[string]string)
	for lines := bufio.NewScanner(bytes.NewReader(sums)); lines.Scan(); {
		sum, file, _ := strings.Cut(lines.Text(), "  ")
		want[file] = sum
	}
	files, err := filepath.Glob("*.wasm")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(file, ".wasm")
		if got := fmt.Sprintf("%x", sha256.Sum256(Module(name))); got != want[file] {
			t.Errorf("%s has digest %s, SHA256SUMS says %q", file, got, want[file])
		}
		delete(want, file)
		sources, err := filepath.Glob(filepath.Join("src", name+".*"))
		if err != nil || len(sources) != 1 {
			t.Errorf("%s has sources %v, want one in src", file, sources)
		}
	}
	if len(want) > 0 {
		t.Errorf("SHA256SUMS names files that are not there: %v", want)
	}
}
