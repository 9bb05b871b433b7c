package pool_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	wt "github.com/wasmpool/wasmpool/internal/wasmtest"
	"github.com/wasmpool/wasmpool/pool"
	"github.com/wasmpool/wasmpool/testdata/wasm"
)

func TestACgroupThatCannotBeUsedIsRefusedWithTheReason(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ dir, want string }{
		{t.TempDir(), "it is no directory of cgroups version 2"},
		{"/nowhere", "no such file or directory"},
	} {
		_, err := pool.New(pool.Options{Cgroup: row.dir})
		want := fmt.Sprintf("pool: option Cgroup is %q; want a directory of cgroups that is delegated: ", row.dir)
		if err == nil || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), row.want) {
			t.Errorf("New = %v, want %q and %q", err, want, row.want)
		}
	}
}

// delegated makes a cgroup that has the controllers of a delegated one, and
// nothing in it.
func delegated(t *testing.T) string {
	t.Helper()
	const root = "/sys/fs/cgroup"
	offered, err := os.ReadFile(filepath.Join(root, "cgroup.controllers"))
	if err != nil || !strings.Contains(string(offered), "memory") {
		t.Skipf("no cgroups version 2 with a memory controller at %s: %q, %v", root, offered, err)
	}
	// Where they are passed on already this changes nothing.
	if err := os.WriteFile(filepath.Join(root, "cgroup.subtree_control"), []byte("+memory +pids"), 0); err != nil {
		t.Skipf("this user may not pass controllers on: %v", err)
	}
	dir := filepath.Join(root, fmt.Sprintf("test-%d", os.Getpid()))
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Skipf("this user may not make cgroups: %v", err)
	}
	t.Cleanup(func() {
		if err := os.Remove(dir); err != nil {
			t.Errorf("something is left in it: %v", err)
		}
	})
	return dir
}

// fillsOnce is a module that fills 100 MiB and returns: before anybody looks.
func fillsOnce() []byte {
	m := wt.Worker(1)
	const pages = 1600
	m.Func("attack", wt.Drop(wt.MemoryGrow(wt.I32(pages))), wt.MemoryFill(wt.I32(0), wt.I32(7), wt.I32(pages<<16)), wt.I32(0))
	return m.Bytes()
}

func TestTheKernelHoldsAWorkerToItsMemoryWhereItHasACgroup(t *testing.T) {
	dir := delegated(t)
	left := filepath.Join(dir, "wasmpool-left")
	longAgo := time.Now().Add(-time.Hour)
	if err := errors.Join(os.Mkdir(left, 0o755), os.Chtimes(left, longAgo, longAgo)); err != nil {
		t.Fatal(err)
	}
	const most = 64 << 20
	p := start(t, pool.Options{
		Max: 2, Cgroup: dir, Limits: pool.Limits{ResidentBytes: most},
		Modules: map[string]pool.Module{"hostile": {Bytes: fillsOnce()}, "echo": {Bytes: wasm.Module("echo")}},
	})
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a group that somebody left: %v, want that it was removed", err)
	}
	if got, err := p.Call(within(t), "echo", "add", 1, 2); err != nil || string(got) != "3" {
		t.Fatalf("add(1, 2) = %s, %v", got, err)
	}
	bounds, _ := filepath.Glob(filepath.Join(dir, "wasmpool-*/memory.max"))
	if len(bounds) != 1 {
		t.Fatalf("%d groups, want one for the worker", len(bounds))
	}
	if bound, err := os.ReadFile(bounds[0]); err != nil || strings.TrimSpace(string(bound)) != fmt.Sprint(most) {
		t.Errorf("the worker is bounded to %s, %v, want %d", bound, err, most)
	}
	if members, err := os.ReadFile(filepath.Join(filepath.Dir(bounds[0]), "cgroup.procs")); err != nil || len(strings.Fields(string(members))) != 1 {
		t.Errorf("in the worker's group are %q, %v, want the worker alone", members, err)
	}
	_, err := p.Call(within(t), "hostile", "attack")
	var lost *pool.UnexpectedExitError
	var limit *pool.LimitError
	if !errors.As(err, &lost) || !errors.As(err, &limit) || limit.Limit != "resident memory" || limit.Value != most {
		t.Errorf("filling memory: %v, want that the worker was lost to its limit of resident memory", err)
	}
	if got, err := p.Call(within(t), "echo", "add", 1, 2); err != nil || string(got) != "3" {
		t.Errorf("add(1, 2) beside it = %s, %v", got, err)
	}
	if err := p.Stop(within(t)); err != nil {
		t.Fatal(err)
	}
	if groups, _ := filepath.Glob(filepath.Join(dir, "wasmpool-*")); len(groups) > 0 {
		t.Errorf("%q are left of a pool that has stopped", groups)
	}
}
