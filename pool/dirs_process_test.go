//go:build unix

package pool_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmpool/wasmpool/internal/guestbuild"
	"github.com/wasmpool/wasmpool/pool"
)

// granted is a pool with the Go worker, which is granted directories.
func granted(t *testing.T, limits pool.Limits, dirs ...pool.Dir) *pool.Pool {
	t.Helper()
	goWorker(t, pool.Options{}) // compiles it, once
	return start(t, pool.Options{
		Max: 1, Logger: quiet,
		Modules: map[string]pool.Module{"worker": {Bytes: guestbuild.Go(t, "../guest/testworker"), Dirs: dirs, Limits: limits}},
	})
}

// tree makes a directory with files by name: those that end with "/" are
// directories, those with "->" in them symbolic links.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	must(t, err)
	for name, content := range files {
		link, target, isLink := strings.Cut(name, "->")
		path := filepath.Join(dir, link)
		must(t, os.MkdirAll(filepath.Dir(path), 0o700))
		switch {
		case isLink:
			must(t, os.Symlink(target, path))
		case strings.HasSuffix(name, "/"):
			must(t, os.MkdirAll(path, 0o700))
		default:
			write(t, path, []byte(content))
		}
	}
	return dir
}

// row is a call of the worker: a result, or words of the error.
type row struct {
	function string
	args     []any
	want     string // the result
	wantErr  string // of the error's text
}

func play(t *testing.T, p *pool.Pool, rows []row) {
	t.Helper()
	for _, r := range rows {
		got, err := p.Call(within(t), "worker", r.function, r.args...)
		switch {
		case r.wantErr == "" && (err != nil || string(got) != r.want):
			t.Errorf("%s(%q) = %s, %v, want %s", r.function, r.args, got, err, r.want)
		case r.wantErr != "" && (err == nil || !strings.Contains(err.Error(), r.wantErr)):
			t.Errorf("%s(%q) = %s, %v, want an error with %q", r.function, r.args, got, err, r.wantErr)
		}
	}
}

func TestAGuestListsReadsAndWritesWhatItIsGranted(t *testing.T) {
	t.Parallel()
	data := tree(t, map[string]string{"in/a": "aa", "in/b": "b", "in/c/": "", "link->in/a": "", "empty/": ""})
	p := granted(t, pool.Limits{}, pool.Dir{Guest: "/data", Host: data, Writable: true})
	play(t, p, []row{
		{"listDir", []any{"/data/in"}, `["a","b","c/"]`, ""},
		{"listDir", []any{"/data/empty"}, `[]`, ""},
		{"readFile", []any{"/data/in/a"}, `"aa"`, ""},
		{"readFile", []any{"/data/in/c/../../in/b"}, `"b"`, ""},
		{"readFile", []any{"/data/link"}, `"aa"`, ""},
		{"stat", []any{"/data/in/a"}, `{"dir":false,"regular":true,"size":2}`, ""},
		{"readFile", []any{"/data/none"}, "", "No such file"},
		{"readFile", []any{"/data/in"}, "", "directory"},
		{"writeFile", []any{"/data/new", "one"}, `null`, ""},
		{"appendFile", []any{"/data/new", " two"}, `null`, ""},
		{"readFile", []any{"/data/new"}, `"one two"`, ""},
		{"truncate", []any{"/data/new", 3}, `null`, ""},
		{"readFile", []any{"/data/new"}, `"one"`, ""},
		{"writeFile", []any{"/data/new", "1"}, `null`, ""},
		{"readFile", []any{"/data/new"}, `"1"`, ""},
		{"mkdir", []any{"/data/d"}, `null`, ""},
		{"mkdir", []any{"/data/d"}, "", "exists"},
		{"rename", []any{"/data/new", "/data/d/old"}, `null`, ""},
		{"remove", []any{"/data/d"}, "", "not empty"},
		{"remove", []any{"/data/d/old"}, `null`, ""},
		{"remove", []any{"/data/d"}, `null`, ""},
		{"growFile", []any{"/data/big", 1 << 20}, `1048576`, ""},
		{"readlink", []any{"/data/link"}, `"in/a"`, ""},
	})
}

// secret is what no guest may see.
const secret = "not for guests"

// outside is a directory with a granted one in it, and a secret beside that.
func outside(t *testing.T) (granted string) {
	t.Helper()
	root := tree(t, map[string]string{
		"secret": secret, "data/file": "file", "data/dir/": "", "data/dir/file": "inner",
		"data/absolute->/etc/passwd": "", "data/root->/": "",
		"data/relative->../secret": "", "data/up->..": "", "data/dir/up->../..": "",
		"data/chain->dir/up": "", "data/inside->dir/../file": "", "data/loop->loop": "",
	})
	must(t, os.Symlink(filepath.Join(root, "secret"), filepath.Join(root, "data/direct")))
	return filepath.Join(root, "data")
}

func TestAGuestDoesNotLeaveItsDirectories(t *testing.T) {
	t.Parallel()
	data := outside(t)
	other := tree(t, map[string]string{"theirs": "theirs"})
	p := granted(t, pool.Limits{}, pool.Dir{Guest: "/data", Host: data, Writable: true}, pool.Dir{Guest: "/other", Host: other, Writable: true})
	const refused = "not permitted"
	rows := []row{
		{"readFile", []any{"/data/inside"}, `"file"`, ""},
		{"readFile", []any{"/data/loop"}, "", "symbolic links"},
		// Links that a guest would make.
		{"symlink", []any{"/etc/passwd", "/data/mine"}, "", refused},
		{"symlink", []any{"file", "/data/mine"}, "", refused},
		{"link", []any{"/data/file", "/data/mine"}, "", refused},
		{"link", []any{"/data/relative", "/data/mine"}, "", refused},
		{"readFile", []any{"/data/mine"}, "", "No such file"},
		// Renames that would lead out, or move a link to where it leads farther.
		{"rename", []any{"/data/file", "/other/file"}, "", "Not implemented"},
		{"rename", []any{"/data/file", "/data/up/file"}, "", refused},
		{"rename", []any{"/data/up/secret", "/data/stolen"}, "", refused},
		{"rename", []any{"/data/dir/up", "/data/moved"}, "", refused},
		{"readFile", []any{"/data/moved/secret"}, "", "No such file"},
		{"readFile", []any{"/data/dir/up/secret"}, "", refused},
		// Changes by way of a link.
		{"writeFile", []any{"/data/relative", "spoilt"}, "", refused},
		{"appendFile", []any{"/data/direct", "spoilt"}, "", refused},
		{"truncate", []any{"/data/direct", 0}, "", refused},
		{"mkdir", []any{"/data/up/made"}, "", refused},
		{"remove", []any{"/data/up/secret"}, "", refused},
		{"stat", []any{"/data/relative"}, "", refused},
		{"listDir", []any{"/data/up"}, "", refused},
	}
	for _, path := range []string{"absolute", "direct", "relative", "up/secret", "dir/up/secret", "chain/secret", "root/etc/passwd"} {
		rows = append(rows, row{"readFile", []any{"/data/" + path}, "", refused})
	}
	play(t, p, rows)

	// By WASI itself, whatever a language would make of the path. The first
	// descriptor of a directory is 3.
	const perm = "63"
	for path, want := range map[string]string{
		"file": "0", "dir/../file": "0", "./dir//file": "0",
		"..": perm, "../secret": perm, "dir/../../secret": perm, "/etc/passwd": perm, "/": perm,
		data + "/file": perm, "absolute": perm, "chain/secret": perm, "": "28", "file/": "54",
		"file\x00": "28", strings.Repeat("a/", 3000): "37",
	} {
		if got, err := p.Call(within(t), "worker", "openAt", 3, path); err != nil || string(got) != want {
			t.Errorf("path_open(3, %.40q) = %s, %v, want errno %s", path, got, err, want)
		}
	}
	for _, fd := range []int{-1, 0, 1, 2, 5, 6, 1 << 30} {
		if got, err := p.Call(within(t), "worker", "openAt", fd, "file"); err != nil || string(got) == "0" {
			t.Errorf("path_open(%d) = %s, %v, want an errno", fd, got, err)
		}
	}
	if got := string(read(t, filepath.Join(data, "../secret"))); got != secret {
		t.Errorf("the secret is %q now", got)
	}
	if diff := cmp.Diff([]string{"theirs"}, list(t, other)); diff != "" {
		t.Errorf("the other directory (-want +got):\n%s", diff)
	}
}

// list returns the names in a directory.
func list(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestADirectoryThatIsOnlyGrantedForReadingStaysAsItIs(t *testing.T) {
	t.Parallel()
	data := tree(t, map[string]string{"file": "file", "dir/": "", "link->file": ""})
	p := granted(t, pool.Limits{}, pool.Dir{Guest: "/data", Host: data})
	const refused = "Read-only file system"
	play(t, p, []row{
		{"readFile", []any{"/data/file"}, `"file"`, ""},
		{"listDir", []any{"/data"}, `["dir/","file","link"]`, ""},
		{"writeFile", []any{"/data/file", "x"}, "", refused},
		{"writeFile", []any{"/data/new", "x"}, "", refused},
		{"appendFile", []any{"/data/file", "x"}, "", refused},
		{"truncate", []any{"/data/file", 0}, "", refused},
		{"mkdir", []any{"/data/new"}, "", refused},
		{"remove", []any{"/data/file"}, "", refused},
		{"remove", []any{"/data/dir"}, "", refused},
		{"rename", []any{"/data/file", "/data/new"}, "", refused},
		{"symlink", []any{"file", "/data/new"}, "", refused},
		{"link", []any{"/data/file", "/data/new"}, "", refused},
		{"readFile", []any{"/data/file"}, `"file"`, ""},
	})
	if diff := cmp.Diff([]string{"dir", "file", "link"}, list(t, data)); diff != "" {
		t.Errorf("the directory (-want +got):\n%s", diff)
	}
}

func TestFilesAreHeldToTheirLimits(t *testing.T) {
	t.Parallel()
	data := tree(t, map[string]string{"file": "0123456789"})
	p := granted(t, pool.Limits{OpenFiles: 10, FileBytes: 100_000}, pool.Dir{Guest: "/data", Host: data, Writable: true})
	play(t, p, []row{
		{"growFile", []any{"/data/fits", 100_000}, `100000`, ""},
		{"growFile", []any{"/data/large", 100_001}, "", tooLarge},
		{"appendFile", []any{"/data/fits", "x"}, "", tooLarge},
		{"truncate", []any{"/data/file", 100_001}, "", tooLarge},
		{"truncate", []any{"/data/file", 100_000}, `null`, ""},
		// One of the ten is the directory.
		{"openMany", []any{"/data/file", 5000}, `[9,"` + tooMany + `"]`, ""},
		{"openMany", []any{"/data/file", 9}, `[9,""]`, ""},
		{"listDir", []any{"/data"}, `["file","fits","large"]`, ""},
	})
	for _, name := range []string{"fits", "large"} {
		if info, err := os.Stat(filepath.Join(data, name)); err != nil || info.Size() != 100_000 {
			t.Errorf("%s: %v, %v, want 100,000 bytes", name, info, err)
		}
	}
}

// What would have a guest wait, or do more than a file does, is not opened.
func TestWhatIsNoFileIsNotOpened(t *testing.T) {
	t.Parallel()
	data := tree(t, nil)
	must(t, syscall.Mkfifo(filepath.Join(data, "pipe"), 0o600))
	p := granted(t, pool.Limits{}, pool.Dir{Guest: "/data", Host: data, Writable: true})
	play(t, p, []row{
		{"listDir", []any{"/data"}, `["pipe"]`, ""},
		{"stat", []any{"/data/pipe"}, `{"dir":false,"regular":false,"size":0}`, ""},
		{"readFile", []any{"/data/pipe"}, "", "ermission denied"},
		{"writeFile", []any{"/data/pipe", "x"}, "", "I/O error"}, // ENXIO, which the engine does not know
	})
}

func TestADirectoryIsResolvedAgainstDirAndItsLinksAreFollowed(t *testing.T) {
	t.Parallel()
	root := tree(t, map[string]string{"real/data/file": "1", "link->real": ""})
	goWorker(t, pool.Options{})
	p := start(t, pool.Options{
		Max: 1, Dir: root, Logger: quiet,
		Modules: map[string]pool.Module{"worker": {Bytes: guestbuild.Go(t, "../guest/testworker"), Dirs: []pool.Dir{{Guest: "/", Host: "link/data"}}}},
	})
	play(t, p, []row{{"readFile", []any{"/file"}, `"1"`, ""}})
	// Another directory, with the next generation.
	must(t, os.MkdirAll(filepath.Join(root, "next/link/data"), 0o700))
	write(t, filepath.Join(root, "next/link/data/file"), []byte("2"))
	must(t, p.SetDir(filepath.Join(root, "next")), p.Recycle(within(t)))
	play(t, p, []row{{"readFile", []any{"/file"}, `"2"`, ""}})
}

func TestADirectoryThatCannotBeGrantedKeepsItsModuleFromServing(t *testing.T) {
	t.Parallel()
	root := tree(t, map[string]string{"file": ""})
	for host, want := range map[string]string{"missing": "no such file", "file": "is not a directory"} {
		p := granted(t, pool.Limits{}, pool.Dir{Guest: "/data", Host: filepath.Join(root, host)})
		_, err := p.Call(within(t), "worker", "greet", "world")
		var notReady *pool.NotReadyError
		if !errors.As(err, &notReady) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), `granted as "/data"`) {
			t.Errorf("%s: got %v, want that it is not ready, with %q", host, err, want)
		}
	}
}

// A blank process has no directories, and makes room for one that has.
func TestABlankProcessDoesNotServeAModuleWithDirectories(t *testing.T) {
	t.Parallel()
	data := tree(t, map[string]string{"file": "1"})
	known := modules()
	known["worker"] = pool.Module{Bytes: guestbuild.Go(t, "../guest/testworker"), Dirs: []pool.Dir{{Guest: "/data", Host: data}}}
	p := start(t, pool.Options{Min: 1, Max: 1, Logger: quiet, Modules: known})
	for range 2 {
		play(t, p, []row{{"readFile", []any{"/data/file"}, `"1"`, ""}})
		if got, err := p.Call(within(t), "echo", "add", 1, 2); err != nil || string(got) != "3" {
			t.Fatalf("add(1, 2) = %s, %v, want 3", got, err)
		}
	}
}

// How a guest in Go words what the engine has no number for.
const (
	tooLarge = "I/O error"
	tooMany  = "I/O error"
)
