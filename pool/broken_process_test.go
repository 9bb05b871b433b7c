package pool_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wasmpool/wasmpool/abi"
	"github.com/wasmpool/wasmpool/pool"
	"github.com/wasmpool/wasmpool/testdata/wasm"
)

func TestABrokenModuleSaysWhatIsWrongAndHarmsNoOther(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		module string
		fault  abi.Fault
		says   string
	}{
		{"hostile-init-trap", abi.InitFailed, "trap"},
		{"hostile-init-exit", abi.InitFailed, "exit"},
		{"hostile-init-fail", abi.InitFailed, ""},
		{"hostile-imports", abi.UnknownImport, `"env"."missing"`},
		{"hostile-command", abi.WrongShape, "-buildmode=c-shared"},
		{"hostile-no-memory", abi.WrongShape, "memory"},
		{"server", abi.WrongShape, "server"},
		{"text", abi.NotWasm, ""},
	} {
		t.Run(row.module, func(t *testing.T) {
			t.Parallel()
			p := start(t, pool.Options{Max: 2})
			for range 2 { // and again, after the pause
				_, err := p.Call(within(t), row.module, "f")
				var fault *pool.ModuleError
				if !errors.As(err, &fault) || fault.Fault != row.fault || fault.Module != row.module || !strings.Contains(fault.Message, row.says) {
					t.Fatalf("calling %s: %v, want its fault %q, saying %q", row.module, err, row.fault, row.says)
				}
				if got, err := p.Call(within(t), "echo", "add", 1, 2); err != nil || string(got) != "3" {
					t.Fatalf("add(1, 2) beside it = %s, %v, want 3", got, err)
				}
			}
		})
	}
}

func TestAModuleThatNeverBecomesReadyIsEndedInTime(t *testing.T) {
	t.Parallel()
	p := start(t, pool.Options{Max: 2, StartTimeout: 2 * time.Second})
	if _, err := p.Call(within(t), "echo", "add", 1, 2); err != nil {
		t.Fatal(err)
	}
	_, err := p.Call(within(t), "hostile-init-loop", "f")
	var late *pool.NotReadyError
	if !errors.As(err, &late) || late.Module != "hostile-init-loop" || !strings.Contains(err.Error(), "StartTimeout") {
		t.Errorf("calling it: %v, want that it was not ready within StartTimeout", err)
	}
	if got, err := p.Call(within(t), "echo", "add", 1, 2); err != nil || string(got) != "3" {
		t.Errorf("add(1, 2) beside it = %s, %v, want 3", got, err)
	}
}

func TestABrokenModuleDoesNotSpinTheMachine(t *testing.T) {
	t.Parallel()
	exits := make(chan pool.WorkerExit, 1000)
	p := start(t, pool.Options{Max: 2, Events: pool.Events{WorkerExited: func(e pool.WorkerExit) { exits <- e }}})
	begun := time.Now()
	for range 6 {
		if _, err := p.Call(within(t), "hostile-init-trap", "f"); err == nil {
			t.Fatal("it works")
		}
	}
	// Pauses of 10, 20, 40, 80 and 160 ms lie between the six.
	if took := time.Since(begun); took < 310*time.Millisecond {
		t.Errorf("six starts in a row took %v, want pauses between them of 310 ms in all", took)
	}
	if n := len(exits); n > 6 {
		t.Errorf("%d workers were started for six calls", n)
	}
}

func TestAPreloadedBrokenModuleFailsNewAndLeavesNothing(t *testing.T) {
	t.Parallel()
	p, err := pool.New(pool.Options{Min: 2, Max: 2, Preload: []string{"echo", "hostile-init-trap"}, Modules: modules(), CacheDir: sharedCache})
	var fault *pool.ModuleError
	if p != nil || !errors.As(err, &fault) || fault.Fault != abi.InitFailed {
		t.Errorf("New = %v, %v, want the fault of the module", p, err)
	}
}

func TestRecycleWithABrokenModuleLeavesTheOldOneServing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "worker.wasm")
	write := func(b []byte) {
		t.Helper()
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(wasm.Module("echo"))
	p := start(t, pool.Options{Max: 2, Dir: dir})
	count := pool.Func[int](p, "worker.wasm", "counter")
	for want := 1; want <= 3; want++ {
		if want == 3 {
			write([]byte("not a module"))
			var fault *pool.ModuleError
			if err := p.Recycle(within(t)); !errors.As(err, &fault) || fault.Fault != abi.NotWasm {
				t.Fatalf("Recycle = %v, want that it is not a module", err)
			}
		}
		if got, err := count(within(t)); err != nil || got != want {
			t.Fatalf("counter() = %d, %v, want %d", got, err, want)
		}
	}
	write(wasm.Module("echo"))
	if err := p.Recycle(within(t)); err != nil {
		t.Fatal(err)
	}
	if got, err := count(within(t)); err != nil || got != 1 {
		t.Errorf("counter() after a recycle = %d, %v, want 1: a new instance", got, err)
	}
}

func TestAMissingModuleIsNamed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := start(t, pool.Options{Dir: dir})
	_, err := p.Call(within(t), "missing.wasm", "f")
	want := fmt.Sprintf("pool: module %q: not found: there is no file %s", "missing.wasm", filepath.Join(dir, "missing.wasm"))
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("calling it: %v, want %s", err, want)
	}
	if n := p.ProcessCount(); n != 0 {
		t.Errorf("%d processes were started for it", n)
	}
}
