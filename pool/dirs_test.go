package pool_test

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmpool/wasmpool/pool"
	"github.com/wasmpool/wasmpool/pool/pooltest"
)

// What a module is granted is known when its worker is started, with the real
// path of the directory; others are granted nothing.
func TestAWorkerIsStartedWithWhatItsModuleIsGranted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		host, err := filepath.EvalSymlinks(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		l := &pooltest.Launcher{}
		p, err := pool.New(pool.Options{
			Min: 2, Max: 2, Launcher: l, Logger: quiet, Dir: filepath.Dir(host),
			Modules: map[string]pool.Module{
				"a": {Bytes: []byte("a"), Dirs: []pool.Dir{{Guest: "/data", Host: filepath.Base(host), Writable: true}}},
				"b": {Bytes: []byte("b")},
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, module := range []string{"a", "b", "a"} {
			if _, err := p.Call(t.Context(), module, "f"); err != nil {
				t.Errorf("a call of %s: %v", module, err)
			}
		}
		granted := []pool.Dir{{Guest: "/data", Host: host, Writable: true}}
		want := []pool.Launch{{Name: "blank"}, {Name: "blank"}, {Name: "a", Dirs: granted, FileBytes: 64 << 20}}
		var got []pool.Launch
		for _, w := range l.Workers() {
			got = append(got, w.Launch())
			if a := w.Assignment(); a != nil {
				if diff := cmp.Diff(w.Launch().Dirs, a.Dirs); diff != "" {
					t.Errorf("worker of %s: started with, and assigned (-started +assigned):\n%s", a.Module, diff)
				}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("workers were started with (-want +got):\n%s", diff)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
}
