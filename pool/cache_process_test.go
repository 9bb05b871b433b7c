package pool_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wasmpool/wasmpool/abi"
	"github.com/wasmpool/wasmpool/pool"
	"github.com/wasmpool/wasmpool/testdata/wasm"
)

// cacheDir is a directory as a cache wants it, whatever the umask.
func cacheDir(t testing.TB) string { return filepath.Join(t.TempDir(), "cache") }

// cached uses a pool once with a cache directory, and says how often a module
// was compiled into it.
func cached(t *testing.T, dir string) (compiled int32) {
	t.Helper()
	var n atomic.Int32
	p, err := pool.New(pool.Options{
		Max: 1, CacheDir: dir, Modules: map[string]pool.Module{"echo": {Bytes: wasm.Module("echo")}},
		Events: pool.Events{Compile: func(c pool.CompileInfo) {
			if c.Took > 0 {
				n.Add(1)
			}
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := p.Call(within(t), "echo", "add", 1, 2); err != nil || string(got) != "3" {
		t.Fatalf("add(1, 2) = %s, %v, want 3", got, err)
	}
	if err := p.Stop(context.WithoutCancel(within(t))); err != nil {
		t.Fatal(err)
	}
	return n.Load()
}

// files returns the files below a directory.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			all = append(all, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestAModuleIsCompiledOnceForAllPools(t *testing.T) {
	t.Parallel()
	dir := cacheDir(t)
	if n := cached(t, dir); n != 1 {
		t.Errorf("compiled %d times by the first pool, want once", n)
	}
	if n := cached(t, dir); n != 0 {
		t.Errorf("compiled %d times by the second pool, want that it loads what the first left", n)
	}
}

func TestACacheThatWasDamagedIsMadeAnew(t *testing.T) {
	t.Parallel()
	dir := cacheDir(t)
	cached(t, dir)
	for _, file := range files(t, dir) {
		if err := os.WriteFile(file, []byte("damaged"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if n := cached(t, dir); n != 1 {
		t.Errorf("compiled %d times after the damage, want once", n)
	}
	if n := cached(t, dir); n != 0 {
		t.Errorf("compiled %d times after that, want a good entry", n)
	}
}

func TestWhatAKilledProgramLeftInTheCacheIsSwept(t *testing.T) {
	t.Parallel()
	dir := cacheDir(t)
	cached(t, dir)
	entry := filepath.Dir(files(t, dir)[0])
	engine := filepath.Dir(entry)
	old, young := filepath.Join(engine, "adopting-1"), filepath.Join(engine, "adopting-2")
	file := filepath.Join(engine, "compiling-3")
	for _, err := range []error{
		os.Mkdir(old, 0o700), os.WriteFile(filepath.Join(old, "code"), nil, 0o600), os.Mkdir(young, 0o700), os.WriteFile(file, nil, 0o600),
		os.RemoveAll(entry), // so that there is something to compile
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	longAgo := time.Now().Add(-2 * time.Hour)
	for _, path := range []string{old, file} {
		if err := os.Chtimes(path, longAgo, longAgo); err != nil {
			t.Fatal(err)
		}
	}
	cached(t, dir)
	for path, want := range map[string]bool{old: false, file: false, young: true, entry: true} {
		if _, err := os.Lstat(path); (err == nil) != want {
			t.Errorf("%s: %v, want that it is there: %v", path, err, want)
		}
	}
}

func TestWithoutACacheThatCanBeWrittenCallsWorkAllTheSame(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "a file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if n := cached(t, filepath.Join(file, "below")); n != 0 {
		t.Errorf("compiled %d times into a cache that cannot be", n)
	}
}

func TestPreloadCompilesWhatNoWorkerIsStartedFor(t *testing.T) {
	t.Parallel()
	var compiled atomic.Int32
	p := start(t, pool.Options{
		CacheDir: cacheDir(t), Preload: []string{"echo"},
		Events: pool.Events{Compile: func(c pool.CompileInfo) {
			if c.Took > 0 {
				compiled.Add(1)
			}
		}},
	})
	if n := p.ProcessCount(); n != 0 {
		t.Errorf("%d processes with Min 0", n)
	}
	if n := compiled.Load(); n != 1 {
		t.Errorf("%d modules were compiled when New returned, want 1", n)
	}
}

func TestPreloadOfABrokenModuleFailsNew(t *testing.T) {
	t.Parallel()
	p, err := pool.New(pool.Options{CacheDir: cacheDir(t), Modules: modules(), Preload: []string{"text"}})
	var fault *pool.ModuleError
	if p != nil || !errors.As(err, &fault) || fault.Fault != abi.NotWasm {
		t.Errorf("New = %v, %v, want that it is not a module", p, err)
	}
}
