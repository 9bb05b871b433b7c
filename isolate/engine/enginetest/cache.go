package enginetest

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/wasmpool/wasmpool/isolate/engine"
	"github.com/wasmpool/wasmpool/testdata/wasm"
)

func testCache(t *testing.T, newEngine New) {
	source := wasm.Module("echo")
	// use loads echo with code, calls it, and reports whether the code was used.
	use := func(t *testing.T, code *os.File, digest string) bool {
		t.Helper()
		m := load(t, newEngine, source, engine.Config{Code: code, CodeSHA256: digest})
		host := &script{input: []byte(`[10]`)}
		x := instantiate(t, m, engine.InstanceConfig{Host: host})
		if got, err := x.Invoke("fib"); got != 0 || err != nil {
			t.Fatalf("fib: %d, %v", got, err)
		}
		equal(t, "fib(10)", host.outputs[0], []byte("55"))
		return m.Describe().Cached
	}
	good := Compile(t, newEngine, source)
	t.Run("is written once and then used", func(t *testing.T) {
		for range 2 {
			if !use(t, CodeFile(t, good), Digest(good)) {
				t.Error("the code was not used")
			}
		}
	})
	t.Run("is the same for the same module", func(t *testing.T) {
		if again := Compile(t, newEngine, source); len(again) != len(good) {
			t.Errorf("%d bytes of code, and %d when compiled again", len(good), len(again))
		}
	})
	t.Run("describes the same module", func(t *testing.T) {
		compiled := load(t, newEngine, source, engine.Config{}).Describe()
		cached := load(t, newEngine, source, engine.Config{Code: CodeFile(t, good), CodeSHA256: Digest(good)}).Describe()
		cached.Cached = false
		same(t, "the description", compiled, cached)
	})
	t.Run("a file that cannot be written", func(t *testing.T) {
		d := load(t, newEngine, source, engine.Config{Code: CodeFile(t, nil)}).Describe()
		if d.Unkept == "" || d.Cached {
			t.Errorf("it says that the code was kept: %+v", d)
		}
	})
	t.Run("another module's code is not used", func(t *testing.T) {
		other := Compile(t, newEngine, wasm.Module("traps"))
		if use(t, CodeFile(t, other), Digest(other)) {
			t.Error("another module's code was used")
		}
	})
	for name, damage := range map[string]func([]byte) []byte{
		"emptied":   func([]byte) []byte { return nil },
		"cut":       func(b []byte) []byte { return b[:len(b)/2] },
		"cut short": func(b []byte) []byte { return b[:len(b)-1] },
		"longer":    func(b []byte) []byte { return append(b, 0) },
		"first bit": func(b []byte) []byte { b[0] ^= 1; return b },
		"a number":  func(b []byte) []byte { b[min(60, len(b)-1)] ^= 0x80; return b },
		"in code":   func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
		"last bit":  func(b []byte) []byte { b[len(b)-1] ^= 0x80; return b },
	} {
		t.Run("damaged: "+name, func(t *testing.T) {
			if use(t, CodeFile(t, damage(bytes.Clone(good))), Digest(good)) {
				t.Error("damaged code was used")
			}
		})
	}
}

// Compile returns the code of a module.
func Compile(t testing.TB, newEngine New, source []byte) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "code")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if d := load(t, newEngine, source, engine.Config{Code: f}).Describe(); d.Cached || d.Unkept != "" {
		t.Fatalf("compiling: cached %v, unkept %q", d.Cached, d.Unkept)
	}
	code, err := os.ReadFile(path)
	if err != nil || len(code) == 0 {
		t.Fatalf("compiling left %d bytes of code, %v", len(code), err)
	}
	return code
}

// Digest is that of code, as [engine.Config] wants it.
func Digest(code []byte) string { return fmt.Sprintf("%x", sha256.Sum256(code)) }

// CodeFile is a file with code, open for reading only.
func CodeFile(t testing.TB, code []byte) *os.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "code")
	if err := os.WriteFile(path, code, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}
