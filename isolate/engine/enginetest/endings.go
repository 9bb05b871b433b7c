package enginetest

import (
	"errors"
	"testing"

	"github.com/wasmpool/wasmpool/abi"
	"github.com/wasmpool/wasmpool/isolate/engine"
	"github.com/wasmpool/wasmpool/testdata/wasm"
)

func testEndings(t *testing.T, newEngine New) {
	m := load(t, newEngine, wasm.Module("traps"), engine.Config{})
	for _, export := range []string{
		"unreachable", "divide", "overflow", "convert", "outside", "wrap", "null", "mismatch", "beyond", "recurse",
	} {
		t.Run(export+" traps", func(t *testing.T) {
			x := instantiate(t, m, engine.InstanceConfig{})
			_, err := x.Invoke(export)
			trap(t, err)
			if _, err := x.Invoke("count"); err == nil {
				t.Error("the instance is still good after a trap")
			}
		})
	}
	for export, code := range map[string]uint32{"exit": 7, "exit_zero": 0} {
		t.Run(export, func(t *testing.T) {
			x := instantiate(t, m, engine.InstanceConfig{})
			_, err := x.Invoke(export)
			var exit *engine.ExitError
			if !errors.As(err, &exit) || exit.Code != code {
				t.Fatalf("got %v, want an exit with code %d", err, code)
			}
			if _, err := x.Invoke("count"); err == nil {
				t.Error("the instance is still good after it exited")
			}
		})
	}
	t.Run("an instance lives on until it ends", func(t *testing.T) {
		x := instantiate(t, m, engine.InstanceConfig{})
		for want := int32(1); want <= 3; want++ {
			if got, err := x.Invoke("count"); got != want || err != nil {
				t.Fatalf("got %d, %v, want %d", got, err, want)
			}
		}
		if err := x.Signal("signal", -15); err != nil {
			t.Fatal(err)
		}
		if got, err := x.Invoke("count"); got != -14 || err != nil {
			t.Fatalf("after signal -15: got %d, %v, want -14", got, err)
		}
	})
	t.Run("exports that are not there, or of another type", func(t *testing.T) {
		x := instantiate(t, m, engine.InstanceConfig{})
		for _, export := range []string{"", "nobody", "memory", "two", "\xff"} {
			if _, err := x.Invoke(export); err == nil {
				t.Errorf("Invoke(%q) succeeded", export)
			}
		}
		if _, err := x.Invoke("count"); err != nil {
			t.Errorf("the instance ended without having run: %v", err)
		}
	})
}

func testLimits(t *testing.T, newEngine New) {
	t.Run("memory ends where it is told to", func(t *testing.T) {
		for _, row := range []struct {
			name   string
			config engine.Config
			pages  int32
		}{
			{"whole pages", engine.Config{MemoryBytes: 5 << 16}, 5},
			{"rounded down", engine.Config{MemoryBytes: 5<<16 + 65535}, 5},
			{"as much as it has", engine.Config{MemoryBytes: 1 << 16}, 1},
		} {
			m := load(t, newEngine, wasm.Module("traps"), row.config)
			x := instantiate(t, m, engine.InstanceConfig{})
			if got, err := x.Invoke("grow"); got != row.pages || err != nil {
				t.Errorf("%s: grew to %d pages, %v, want %d", row.name, got, err, row.pages)
			}
			if got, err := x.Invoke("grow_much"); got != -1 || err != nil {
				t.Errorf("%s: grew by far too much: %d, %v", row.name, got, err)
			}
			if got := x.MemoryBytes(); got != int64(row.pages)<<16 {
				t.Errorf("%s: MemoryBytes is %d, want %d pages", row.name, got, row.pages)
			}
		}
	})
	t.Run("a module's own maximum holds", func(t *testing.T) {
		m := load(t, newEngine, probeModule(), engine.Config{})
		if got := m.Describe().Memory; got == nil || *got != (engine.Memory{MinBytes: 1 << 16, MaxBytes: 16 << 16}) {
			t.Errorf("described as %+v, want 1 to 16 pages", got)
		}
	})
	t.Run("tables end where they are told to", func(t *testing.T) {
		m := load(t, newEngine, wasm.Module("traps"), engine.Config{TableElements: 10_000})
		x := instantiate(t, m, engine.InstanceConfig{})
		if got, err := x.Invoke("grow_table"); err != nil || got < 1000 || got > 10_000 {
			t.Errorf("grew to %d elements, %v, want at most 10000", got, err)
		}
		if _, err := x.Invoke("null"); err == nil {
			t.Error("a null element was called")
		}
	})
	t.Run("tables end by default", func(t *testing.T) {
		m := load(t, newEngine, wasm.Module("traps"), engine.Config{})
		x := instantiate(t, m, engine.InstanceConfig{})
		if got, err := x.Invoke("grow_table"); err != nil || got > 1_000_000 {
			t.Errorf("grew to %d elements, %v, want at most 1000000", got, err)
		}
	})
	t.Run("what is too large to begin with is refused", func(t *testing.T) {
		for name, config := range map[string]engine.Config{
			"hostile-memory": {MemoryBytes: 256 << 20},
			"hostile-table":  {},
			"traps":          {MemoryBytes: 65535},
			"probe":          {MemoryBytes: 1},
		} {
			e := newEngine()
			_, err := e.Load(t.Context(), wasm.Module(name), config)
			if got := fault(t, err); got != abi.TooLarge {
				t.Errorf("%s: got fault %q, want %q", name, got, abi.TooLarge)
			}
			if err := e.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}
