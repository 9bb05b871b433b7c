package enginetest

import (
	"bytes"
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
	t.Run("is filled once and then used", func(t *testing.T) {
		config := engine.Config{CacheDir: t.TempDir()}
		for i, want := range []bool{false, true, true} {
			if got := use(t, config); got != want {
				t.Errorf("load %d came from the cache: %v, want %v", i, got, want)
			}
		}
		config.CacheReadOnly = true
		before := files(t, config.CacheDir)
		if !use(t, config) {
			t.Error("a read-only cache was not used")
		}
		same(t, "a read-only cache was changed", before, files(t, config.CacheDir))
	})
	t.Run("describes the same module", func(t *testing.T) {
		config := engine.Config{CacheDir: t.TempDir()}
		compiled := load(t, newEngine, source, config).Describe()
		cached := load(t, newEngine, source, config).Describe()
		cached.Cached = false
		same(t, "the description", compiled, cached)
	})
	t.Run("read-only and empty stays empty", func(t *testing.T) {
		config := engine.Config{CacheDir: t.TempDir(), CacheReadOnly: true}
		if use(t, config) {
			t.Error("something came from an empty cache")
		}
		if got := files(t, config.CacheDir); len(got) != 0 {
			t.Errorf("a read-only cache was filled: %s", describeCache(got))
		}
	})
	t.Run("a directory that is not there", func(t *testing.T) {
		for _, readOnly := range []bool{true, false} {
			use(t, engine.Config{CacheDir: filepath.Join(t.TempDir(), "new"), CacheReadOnly: readOnly})
		}
	})
	t.Run("a directory that cannot be", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if use(t, engine.Config{CacheDir: filepath.Join(file, "below")}) {
			t.Error("something came from a cache that cannot be")
		}
	})
	t.Run("another module's entry is not used", func(t *testing.T) {
		config := engine.Config{CacheDir: t.TempDir()}
		load(t, newEngine, wasm.Module("traps"), config)
		if use(t, config) {
			t.Error("another module's code was used")
		}
		if !use(t, config) {
			t.Error("the entry was not replaced")
		}
	})
	for name, damage := range map[string]func([]byte) []byte{
		"emptied":   func([]byte) []byte { return nil },
		"cut":       func(b []byte) []byte { return b[:len(b)/2] },
		"cut short": func(b []byte) []byte { return b[:len(b)-1] },
		"longer":    func(b []byte) []byte { return append(b, 0) },
		"first bit": func(b []byte) []byte { b[0] ^= 1; return b },
		"a number":  func(b []byte) []byte { b[min(20, len(b)-1)] ^= 0x80; return b },
		"in code":   func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
		"last bit":  func(b []byte) []byte { b[len(b)-1] ^= 0x80; return b },
	} {
		t.Run("damaged: "+name, func(t *testing.T) {
			config := engine.Config{CacheDir: t.TempDir()}
			use(t, config)
			for file, content := range files(t, config.CacheDir) {
				if err := os.WriteFile(filepath.Join(config.CacheDir, file), damage(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			config.CacheReadOnly = true
			before := files(t, config.CacheDir)
			if use(t, config) {
				t.Error("a damaged entry was used")
			}
			same(t, "a read-only cache was changed", before, files(t, config.CacheDir))
			config.CacheReadOnly = false
			if use(t, config) {
				t.Error("a damaged entry was used")
			}
			if !use(t, config) {
				t.Error("a damaged entry was not replaced")
			}
		})
	}
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
