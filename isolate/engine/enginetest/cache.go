package enginetest

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/wasmpool/wasmpool/isolate/engine"
	"github.com/wasmpool/wasmpool/testdata/wasm"
)

func testCache(t *testing.T, newEngine New) {
	source := wasm.Module("echo")
	// use loads echo with a cache, calls it, and reports whether its code came
	// from there.
	use := func(t *testing.T, config engine.Config) bool {
		t.Helper()
		m := load(t, newEngine, source, config)
		host := &script{input: []byte(`[10]`)}
		x := instantiate(t, m, engine.InstanceConfig{Host: host})
		if got, err := x.Invoke("fib"); got != 0 || err != nil {
			t.Fatalf("fib: %d, %v", got, err)
		}
		equal(t, "fib(10)", host.outputs[0], []byte("55"))
		return m.Describe().Cached
	}
	// filled is a cache with the code of a module, as a worker is given it.
	filled := func(t *testing.T, source []byte) engine.Config {
		t.Helper()
		config := engine.Config{CacheDir: t.TempDir()}
		if d := load(t, newEngine, source, config).Describe(); d.Cached || d.Unkept != "" {
			t.Fatalf("filling the cache: cached %v, unkept %q", d.Cached, d.Unkept)
		}
		config.CodeSHA256 = CodeDigest(t, config.CacheDir)
		return config
	}
	t.Run("is filled once and then used", func(t *testing.T) {
		config := filled(t, source)
		before := files(t, config.CacheDir)
		for range 2 {
			if !use(t, config) {
				t.Error("the code did not come from the cache")
			}
		}
		same(t, "what lies in the cache", before, files(t, config.CacheDir))
	})
	t.Run("describes the same module", func(t *testing.T) {
		config := filled(t, source)
		compiled := load(t, newEngine, source, engine.Config{}).Describe()
		cached := load(t, newEngine, source, config).Describe()
		cached.Cached = false
		same(t, "the description", compiled, cached)
	})
	t.Run("empty where it should not be, it stays empty", func(t *testing.T) {
		config := engine.Config{CacheDir: t.TempDir(), CodeSHA256: filled(t, source).CodeSHA256}
		if use(t, config) {
			t.Error("something came from an empty cache")
		}
		if got := files(t, config.CacheDir); len(got) != 0 {
			t.Errorf("a cache that was to be read was filled: %s", describeCache(got))
		}
	})
	t.Run("a directory that is not there", func(t *testing.T) {
		for _, digest := range []string{"", filled(t, source).CodeSHA256} {
			config := engine.Config{CacheDir: filepath.Join(t.TempDir(), "missing"), CodeSHA256: digest}
			if use(t, config) {
				t.Error("something came from a cache that is not there")
			}
			if got := load(t, newEngine, source, config).Describe().Unkept; (got != "") != (digest == "") {
				t.Errorf("with digest %q it says that the code could not be kept: %q", digest, got)
			}
		}
	})
	t.Run("another module's code is not used", func(t *testing.T) {
		if use(t, filled(t, wasm.Module("traps"))) {
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
			config := filled(t, source)
			file := filepath.Join(config.CacheDir, engine.CodeFile)
			content, err := os.ReadFile(file)
			if err == nil {
				err = os.WriteFile(file, damage(content), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			before := files(t, config.CacheDir)
			if use(t, config) {
				t.Error("damaged code was used")
			}
			same(t, "what lies in the cache", before, files(t, config.CacheDir))
		})
	}
}

// CodeDigest is that of the code in a cache directory, and of nothing else: it
// fails the test when there is more.
func CodeDigest(t testing.TB, dir string) string {
	t.Helper()
	found := files(t, dir)
	code, ok := found[engine.CodeFile]
	if !ok || len(found) != 1 {
		t.Fatalf("the cache holds %s; want a file %q and nothing else", describeCache(found), engine.CodeFile)
	}
	return fmt.Sprintf("%x", sha256.Sum256(code))
}

// files reads what lies below a directory.
func files(t testing.TB, dir string) map[string][]byte {
	t.Helper()
	found := make(map[string][]byte)
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		found[name], err = os.ReadFile(filepath.Join(dir, name))
		found[name] = bytes.Clone(found[name])
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
