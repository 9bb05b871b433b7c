//go:build unix

package pool_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/wasmpool/wasmpool/pool"
	"github.com/wasmpool/wasmpool/testdata/wasm"
)

// somebody is a user that is not this one.
const somebody = 12_345

// chown gives a file to somebody else, which only root can.
func chown(t *testing.T, path string) {
	t.Helper()
	err := os.Lchown(path, somebody, somebody)
	if errors.Is(err, os.ErrPermission) || errors.Is(err, syscall.EINVAL) { // the latter where there is no other user
		t.Skip("only root, with the rights of root, can give a file to another user")
	}
	if err != nil {
		t.Fatal(err)
	}
}

// entryOf is the one entry of a cache.
func entryOf(t *testing.T, dir string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*", strings.Repeat("[0-9a-f]", 64)))
	if err != nil || len(found) != 1 {
		t.Fatalf("the cache has entries %v, %v; want one", found, err)
	}
	return found[0]
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// read is the content of a file.
func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	must(t, err)
	return b
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	must(t, os.WriteFile(path, content, 0o600))
}

// Whatever somebody makes of an entry, the module is compiled anew, its function
// gives what it should, and a good entry is there again.
func TestAnEntryThatIsNotAsItShouldBeIsMadeAnew(t *testing.T) {
	t.Parallel()
	for name, attack := range map[string]func(t *testing.T, entry string){
		"code with a bit flipped": func(t *testing.T, entry string) {
			b := read(t, filepath.Join(entry, "code"))
			b[len(b)/2] ^= 1
			write(t, filepath.Join(entry, "code"), b)
		},
		"code cut short": func(t *testing.T, entry string) {
			b := read(t, filepath.Join(entry, "code"))
			write(t, filepath.Join(entry, "code"), b[:len(b)-1])
		},
		"no code": func(t *testing.T, entry string) {
			must(t, os.Remove(filepath.Join(entry, "code")))
		},
		"no record": func(t *testing.T, entry string) {
			must(t, os.Remove(filepath.Join(entry, "record")))
		},
		"the record of another engine": func(t *testing.T, entry string) {
			b := read(t, filepath.Join(entry, "record"))
			write(t, filepath.Join(entry, "record"), bytes.Replace(b, []byte("engine wazero "), []byte("engine wazero 0.1 "), 1))
		},
		"a record of a megabyte": func(t *testing.T, entry string) {
			write(t, filepath.Join(entry, "record"), make([]byte, 1<<20))
		},
		"another module's entry": func(t *testing.T, entry string) {
			other := cacheDir(t)
			useModule(t, other, "echo", wasm.Module("traps"))
			must(t, os.RemoveAll(entry), os.Rename(entryOf(t, other), entry))
		},
		"an empty directory": func(t *testing.T, entry string) {
			must(t, os.RemoveAll(entry), os.Mkdir(entry, 0o700))
		},
		"a file in its place": func(t *testing.T, entry string) {
			must(t, os.RemoveAll(entry), os.WriteFile(entry, []byte("code"), 0o600))
		},
		"a symbolic link in its place": func(t *testing.T, entry string) {
			elsewhere := filepath.Join(t.TempDir(), "elsewhere")
			must(t, os.Rename(entry, elsewhere), os.Symlink(elsewhere, entry))
		},
		"a symbolic link in the place of its code": func(t *testing.T, entry string) {
			elsewhere := filepath.Join(t.TempDir(), "code")
			must(t, os.Rename(filepath.Join(entry, "code"), elsewhere), os.Symlink(elsewhere, filepath.Join(entry, "code")))
		},
		"a second name of its code": func(t *testing.T, entry string) {
			must(t, os.Link(filepath.Join(entry, "code"), filepath.Join(filepath.Dir(entry), "second")))
		},
		"a pipe in the place of its code": func(t *testing.T, entry string) {
			must(t, os.Remove(filepath.Join(entry, "code")), syscall.Mkfifo(filepath.Join(entry, "code"), 0o600))
		},
		"one file more": func(t *testing.T, entry string) {
			write(t, filepath.Join(entry, "more"), []byte("more"))
		},
		"a directory that all can write": func(t *testing.T, entry string) {
			must(t, os.Chmod(entry, 0o777))
		},
		"code that its group can write": func(t *testing.T, entry string) {
			must(t, os.Chmod(filepath.Join(entry, "code"), 0o660))
		},
		"another user's directory": func(t *testing.T, entry string) { chown(t, entry) },
		"another user's code":      func(t *testing.T, entry string) { chown(t, filepath.Join(entry, "code")) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := cacheDir(t)
			cached(t, dir)
			attack(t, entryOf(t, dir))
			if n := cached(t, dir); n != 1 {
				t.Errorf("compiled %d times after the attack, want once", n)
			}
			if n := cached(t, dir); n != 0 {
				t.Errorf("compiled %d times after that, want a good entry", n)
			}
			if info, err := os.Lstat(entryOf(t, dir)); err != nil || !info.IsDir() {
				t.Errorf("the entry is %v, %v, want a directory", info, err)
			}
		})
	}
}

// useModule starts a worker for a module, so that it is in the cache.
func useModule(t *testing.T, dir, name string, source []byte) {
	t.Helper()
	p, err := pool.New(pool.Options{CacheDir: dir, Preload: []string{name}, Modules: map[string]pool.Module{name: {Bytes: source}}})
	must(t, err)
	must(t, p.Stop(context.WithoutCancel(within(t))))
}

// What this process has found good once, it looks at again when it was touched.
func TestCodeThatIsExchangedWhileAPoolRunsIsNotLoaded(t *testing.T) {
	t.Parallel()
	dir := cacheDir(t)
	var compiled atomic.Int32
	p := start(t, pool.Options{
		Min: 1, Max: 1, CacheDir: dir, Logger: quiet, Modules: map[string]pool.Module{"echo": {Bytes: wasm.Module("echo")}},
		Events: pool.Events{
			Compile: func(c pool.CompileInfo) {
				if c.Took > 0 {
					compiled.Add(1)
				}
			},
		},
	})
	if got, err := p.Call(within(t), "echo", "add", 1, 2); err != nil || string(got) != "3" {
		t.Fatalf("add(1, 2) = %s, %v, want 3", got, err)
	}
	code := filepath.Join(entryOf(t, dir), "code")
	b := read(t, code)
	b[len(b)/2] ^= 1
	write(t, code, b)
	for range 3 {
		if err := p.Recycle(within(t)); err != nil {
			t.Fatal(err)
		}
		if got, err := p.Call(within(t), "echo", "add", 1, 2); err != nil || string(got) != "3" {
			t.Fatalf("add(1, 2) = %s, %v, want 3", got, err)
		}
	}
	if n := compiled.Load(); n != 2 {
		t.Errorf("compiled %d times, want twice: at first, and after the code was exchanged", n)
	}
}

func TestACacheThatOthersCouldFillIsRefused(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(t *testing.T, above, dir string){
		"all can write to it":           func(t *testing.T, _, dir string) { must(t, os.Chmod(dir, 0o777)) },
		"all can, but for a sticky bit": func(t *testing.T, _, dir string) { must(t, os.Chmod(dir, 0o777|fs.ModeSticky)) },
		"its group can write to it":     func(t *testing.T, _, dir string) { must(t, os.Chmod(dir, 0o770)) },
		"it is another user's":          func(t *testing.T, _, dir string) { chown(t, dir) },
		"all can exchange it":           func(t *testing.T, above, _ string) { must(t, os.Chmod(above, 0o777)) },
		"another user can exchange it":  func(t *testing.T, above, _ string) { chown(t, above) },
		"another user's link leads to it": func(t *testing.T, above, dir string) {
			must(t, os.Rename(dir, above+"/real"), os.Symlink(above+"/real", dir))
			chown(t, dir)
		},
		"all can exchange what its link leads through": func(t *testing.T, above, dir string) {
			open := filepath.Join(t.TempDir(), "open")
			must(t, os.Mkdir(open, 0o700), os.Chmod(open, 0o777), os.Rename(dir, open+"/real"), os.Symlink(open+"/real", dir))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			above := filepath.Join(t.TempDir(), "above")
			dir := filepath.Join(above, "cache")
			must(t, os.MkdirAll(dir, 0o700))
			spoil(t, above, dir)
			p, err := pool.New(pool.Options{CacheDir: dir, Logger: quiet})
			if err == nil {
				_ = p.Close()
				t.Fatal("New took it")
			}
			for _, word := range []string{"CacheDir", dir, "belongs to user", fmt.Sprintf("user %d", os.Geteuid())} {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("%q does not say %q", err, word)
				}
			}
			if got, err := os.ReadDir(dir); err == nil && len(got) > 0 {
				t.Errorf("%v was written there", got)
			}
		})
	}
	t.Run("a link of one's own is taken", func(t *testing.T) {
		t.Parallel()
		above := t.TempDir()
		must(t, os.Mkdir(above+"/real", 0o700), os.Symlink("real", above+"/cache"))
		if n := cached(t, above+"/cache"); n != 1 {
			t.Errorf("compiled %d times, want once", n)
		}
		entryOf(t, above+"/real")
	})
}

// Where nobody has named it, the cache is done without.
func TestADefaultCacheThatOthersCouldFillIsNotUsed(t *testing.T) { // not parallel: it sets the environment
	home := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", home)
	t.Setenv("HOME", home)
	user, err := os.UserCacheDir()
	must(t, err)
	dir := filepath.Join(user, "wasmpool")
	must(t, os.MkdirAll(dir, 0o700), os.Chmod(dir, 0o777))
	var log bytes.Buffer
	p, err := pool.New(pool.Options{
		Logger:  slog.New(slog.NewTextHandler(&log, nil)),
		Modules: map[string]pool.Module{"echo": {Bytes: wasm.Module("echo")}},
	})
	must(t, err)
	for range 2 {
		if got, err := p.Call(within(t), "echo", "add", 1, 2); err != nil || string(got) != "3" {
			t.Errorf("add(1, 2) = %s, %v, want 3", got, err)
		}
		must(t, p.Recycle(within(t)))
	}
	must(t, p.Stop(context.WithoutCancel(within(t))))
	if got := files(t, dir); len(got) > 0 {
		t.Errorf("%v was written there", got)
	}
	if n := strings.Count(log.String(), "no compile cache"); n != 1 {
		t.Errorf("it was said %d times, want once: %s", n, &log)
	}
}

func TestACacheThatVanishesIsMadeAnew(t *testing.T) {
	t.Parallel()
	dir := cacheDir(t)
	p := start(t, pool.Options{Min: 1, Max: 1, CacheDir: dir, Logger: quiet, Modules: map[string]pool.Module{"echo": {Bytes: wasm.Module("echo")}}})
	for range 3 {
		if got, err := p.Call(within(t), "echo", "add", 1, 2); err != nil || string(got) != "3" {
			t.Fatalf("add(1, 2) = %s, %v, want 3", got, err)
		}
		entryOf(t, dir)
		must(t, os.RemoveAll(dir), p.Recycle(within(t)))
	}
}

func TestACacheThatCannotBeWrittenCostsTheTimeToCompile(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(t *testing.T, dir string){
		"read-only": func(t *testing.T, dir string) {
			if os.Geteuid() != 0 {
				must(t, os.Chmod(dir, 0o500))
				return
			}
			mount(t, dir, "ro,mode=0500")
		},
		"full": func(t *testing.T, dir string) {
			// Room for a directory, and not for the code.
			mount(t, dir, "size=8k,mode=0700")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := cacheDir(t)
			must(t, os.Mkdir(dir, 0o700))
			spoil(t, dir)
			var log bytes.Buffer
			p := start(t, pool.Options{
				CacheDir: dir, Logger: slog.New(slog.NewTextHandler(&log, nil)),
				Modules: map[string]pool.Module{"echo": {Bytes: wasm.Module("echo")}},
			})
			for range 2 {
				if got, err := p.Call(within(t), "echo", "add", 1, 2); err != nil || string(got) != "3" {
					t.Errorf("add(1, 2) = %s, %v, want 3", got, err)
				}
				must(t, p.Recycle(within(t)))
			}
			must(t, p.Stop(context.WithoutCancel(within(t))))
			if n := strings.Count(log.String(), "no compile cache"); n != 1 {
				t.Errorf("it was said %d times, want once: %s", n, &log)
			}
			if got := files(t, dir); len(got) > 0 {
				t.Errorf("%v was left there", got)
			}
		})
	}
}
