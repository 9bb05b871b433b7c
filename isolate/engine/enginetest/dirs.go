package enginetest

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/wasmpool/wasmpool/isolate/engine"
)

// testDirs opens the file "probe" in granted directories.
func testDirs(t *testing.T, newEngine New) {
	const at, first = 4096, 3 // the first descriptor of a directory
	// grant makes a directory with one file and grants it. The probe opens files to
	// be written.
	grant := func(t *testing.T, guest string) engine.Dir {
		t.Helper()
		d := engine.Dir{Guest: guest, Host: t.TempDir(), Writable: true}
		if err := os.WriteFile(filepath.Join(d.Host, "probe"), []byte(guest), 0o600); err != nil {
			t.Fatal(err)
		}
		return d
	}
	granted := func(t *testing.T, openFiles int, dirs ...engine.Dir) *probe {
		t.Helper()
		return newProbe(t, load(t, newEngine, probeModule(), engine.Config{Dirs: dirs, OpenFiles: openFiles, FileBytes: 100}), engine.InstanceConfig{})
	}
	open := func(t *testing.T, p *probe, dir uint32) (fd uint32, errno int32) {
		t.Helper()
		errno, err := p.do(opOpen, dir, 1024, 5, at)
		if err != nil {
			t.Fatal(err)
		}
		return binary.LittleEndian.Uint32(p.memory(t, at, 4)), errno
	}
	t.Run("each is there, by its name in the guest, and no other", func(t *testing.T) {
		p := granted(t, 10, grant(t, "/data"), grant(t, "/other"))
		for i, guest := range []string{"/data", "/other"} {
			if got, err := p.do(opPrestat, uint32(first+i), at); got != 0 || err != nil {
				t.Fatalf("fd_prestat_get(%d): %d, %v", first+i, got, err)
			}
			if n := binary.LittleEndian.Uint32(p.memory(t, at+4, 4)); n != uint32(len(guest)) {
				t.Errorf("the name of %s has %d bytes", guest, n)
			}
			fd, errno := open(t, p, uint32(first+i))
			if errno != 0 {
				t.Fatalf("path_open in %s: %d", guest, errno)
			}
			p.poke(t, at, at+64)
			p.poke(t, at+4, 64)
			if got, err := p.do(opRead, fd, at, 1, at+8); got != 0 || err != nil {
				t.Fatalf("fd_read: %d, %v", got, err)
			}
			equal(t, "the file in "+guest, p.memory(t, at+64, uint32(len(guest))), []byte(guest))
		}
		if got, err := p.do(opPrestat, first+2, at); got == 0 || err != nil {
			t.Errorf("fd_prestat_get of a third: %d, %v, want an errno", got, err)
		}
	})
	t.Run("no link leads out of one", func(t *testing.T) {
		inner, outer := grant(t, "/data"), grant(t, "/secret")
		for _, target := range []string{filepath.Join(outer.Host, "probe"), "../" + filepath.Base(outer.Host) + "/probe"} {
			file := filepath.Join(inner.Host, "probe")
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(target, file); err != nil {
				t.Skipf("no links here: %v", err)
			}
			if fd, errno := open(t, granted(t, 10, inner), first); errno == 0 {
				t.Errorf("a link to %s was followed: descriptor %d", target, fd)
			}
		}
	})
	t.Run("so many files are open at once, in each instance", func(t *testing.T) {
		m := load(t, newEngine, probeModule(), engine.Config{Dirs: []engine.Dir{grant(t, "/data")}, OpenFiles: 4})
		for range 3 {
			p := newProbe(t, m, engine.InstanceConfig{})
			opened := 0
			for range 10 {
				if _, errno := open(t, p, first); errno == 0 {
					opened++
				}
			}
			if opened != 3 { // and the directory
				t.Errorf("%d files were opened, want 3", opened)
			}
		}
	})
	t.Run("one that is only read", func(t *testing.T) {
		d := grant(t, "/data")
		d.Writable = false
		const readOnly = 69 // WASI's EROFS
		if _, errno := open(t, granted(t, 10, d), first); errno != readOnly {
			t.Errorf("path_open to write: %d, want %d", errno, readOnly)
		}
	})
	t.Run("one that is not there", func(t *testing.T) {
		e := newEngine()
		defer func() { _ = e.Close() }()
		if _, err := e.Load(t.Context(), probeModule(), engine.Config{Dirs: []engine.Dir{{Guest: "/data", Host: filepath.Join(t.TempDir(), "none")}}}); err == nil {
			t.Error("Load succeeded")
		}
	})
}
