package enginetest

import (
	"bytes"
	"errors"
	"testing"

	"github.com/wasmpool/wasmpool/abi"
	"github.com/wasmpool/wasmpool/isolate/engine"
	"github.com/wasmpool/wasmpool/testdata/wasm"
)

func testStart(t *testing.T, newEngine New) {
	start := func(t *testing.T, name string, config engine.InstanceConfig) error {
		t.Helper()
		if config.Host == nil {
			config.Host = new(script)
		}
		x, err := load(t, newEngine, wasm.Module(name), engine.Config{}).Instantiate(t.Context(), config)
		if err == nil {
			_ = x.Close()
			t.Fatal("Instantiate succeeded")
		}
		return err
	}
	t.Run("a trap in the start section", func(t *testing.T) {
		trap(t, start(t, "hostile-start-trap", engine.InstanceConfig{}))
	})
	t.Run("a trap in _initialize", func(t *testing.T) {
		var stderr bytes.Buffer
		trap(t, start(t, "hostile-init-trap", engine.InstanceConfig{Stderr: &stderr}))
		if got, want := stderr.String(), "no configuration"; got != want {
			t.Errorf("standard error has %q, want %q", got, want)
		}
	})
	t.Run("an exit in _initialize", func(t *testing.T) {
		var exit *engine.ExitError
		if err := start(t, "hostile-init-exit", engine.InstanceConfig{}); !errors.As(err, &exit) || exit.Code != 3 {
			t.Errorf("got %v, want an exit with code 3", err)
		}
	})
	t.Run("data that do not fit", func(t *testing.T) {
		err := start(t, "hostile-data", engine.InstanceConfig{})
		var invalid *engine.InvalidError
		var trap *engine.TrapError
		if !errors.As(err, &invalid) && !errors.As(err, &trap) {
			t.Errorf("got %v (%T), want a typed error", err, err)
		}
	})
	t.Run("imports in the start section", func(t *testing.T) {
		host := &script{context: []byte("{}"), status: -2}
		x := instantiate(t, load(t, newEngine, wasm.Module("hostile-start-imports"), engine.Config{}),
			engine.InstanceConfig{Host: host})
		for export, want := range map[string]int32{"input_len": 0, "context_len": 2, "host_status": -2} {
			if got, err := x.Invoke(export); got != want || err != nil {
				t.Errorf("%s: got %d, %v, want %d", export, got, err, want)
			}
		}
	})
}

func testRefusals(t *testing.T, newEngine New) {
	valid := probeModule()
	for _, row := range []struct {
		name   string
		source []byte
		want   abi.Fault
		texts  []string // that the message has to have
	}{
		{"nothing", nil, abi.NotWasm, nil},
		{"text", []byte("#!/bin/sh\nexit 1\n"), abi.NotWasm, nil},
		{"an ELF file", []byte("\x7fELF\x02\x01\x01\x00\x00\x00"), abi.NotWasm, nil},
		{"a component", []byte("\x00asm\x0d\x00\x01\x00"), abi.NotWasm, []string{"component", "preview 1"}},
		{"another version", []byte("\x00asm\x02\x00\x00\x00"), abi.NotWasm, []string{"version"}},
		{"something behind", append(bytes.Clone(valid), 0x7f), abi.NotWasm, nil},
		{"unknown imports", wasm.Module("hostile-imports"), abi.UnknownImport, []string{
			`"env"."missing" (i32) -> i64`, `"wasmpool"."teleport"`, `"wasmpool"."output" (i64)`, `(i32, i32)`,
			`"wasmpool2"."input"`, `"wasi_snapshot_preview1"."fd_teleport"`, `global "env"."base"`, `table "env"."table"`,
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			err := loadError(t, newEngine, row.source)
			if got := fault(t, err); got != row.want {
				t.Errorf("got fault %q, want %q: %v", got, row.want, err)
			}
			for _, text := range row.texts {
				if !bytes.Contains([]byte(err.Error()), []byte(text)) {
					t.Errorf("%q does not say %q", err, text)
				}
			}
		})
	}
	t.Run("unknown imports, only looked at", func(t *testing.T) {
		m := load(t, newEngine, wasm.Module("hostile-imports"), engine.Config{DescribeOnly: true})
		if n := len(m.Describe().Imports); n != 5 {
			t.Errorf("described with %d imported functions, want 5", n)
		}
	})
	t.Run("names that are not UTF-8", func(t *testing.T) {
		source := bytes.Replace(valid, []byte("\x05probe"), []byte("\x05pr\xffbe"), 1)
		if got := fault(t, loadError(t, newEngine, source)); got != abi.NotWasm {
			t.Errorf("got fault %q, want %q", got, abi.NotWasm)
		}
	})
	// Each of these ended a process, or took gigabytes, in some decoder.
	for id := byte(1); id <= 11; id++ {
		for _, count := range [][]byte{{0xff, 0xff, 0xff, 0xff, 0x0f}, {0x80, 0x80, 0x80, 0x80, 0x01}, {0xff, 0xff, 0x3f}} {
			if id == 8 { // a start section has no count
				continue
			}
			section := append([]byte{id, byte(len(count))}, count...)
			err := loadError(t, newEngine, append([]byte("\x00asm\x01\x00\x00\x00"), section...))
			if got := fault(t, err); got != abi.NotWasm && got != abi.TooLarge {
				t.Errorf("section %d with count %x: got fault %q: %v", id, count, got, err)
			}
		}
	}
	t.Run("four thousand million locals", func(t *testing.T) {
		source := []byte("\x00asm\x01\x00\x00\x00" +
			"\x01\x04\x01\x60\x00\x00" + // a type () -> ()
			"\x03\x02\x01\x00" + // a function of it
			"\x0a\x0a\x01\x08\x01\xff\xff\xff\xff\x0f\x7f\x0b")
		if got := fault(t, loadError(t, newEngine, source)); got != abi.TooLarge {
			t.Errorf("got fault %q, want %q", got, abi.TooLarge)
		}
	})
}

func loadError(t testing.TB, newEngine New, source []byte) error {
	t.Helper()
	e := newEngine()
	_, err := e.Load(t.Context(), source, engine.Config{MemoryBytes: 64 << 20})
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	return err
}

// testTruncated cuts a module at each of its bytes: what is left is refused, or
// is a module because the cut was between two sections.
func testTruncated(t *testing.T, newEngine New) {
	for _, name := range []string{"traps", "hostile-start-imports"} {
		source := wasm.Module(name)
		refused := 0
		for n := range source {
			e := newEngine()
			_, err := e.Load(t.Context(), source[:n], engine.Config{MemoryBytes: 64 << 20})
			if err != nil {
				fault(t, err)
				refused++
			}
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if whole := len(source) - refused; whole > 12 {
			t.Errorf("%s: %d of %d prefixes were accepted, more than there are sections", name, whole, len(source))
		}
	}
}

// testDamaged changes each byte of a module: whatever becomes of it, it is
// loaded or refused with a typed error.
func testDamaged(t *testing.T, newEngine New) {
	source := wasm.Module("hostile-start-imports")
	for n := range source {
		for _, b := range []byte{0x00, 0x7f, 0xff, source[n] + 1} {
			damaged := bytes.Clone(source)
			damaged[n] = b
			e := newEngine()
			_, err := e.Load(t.Context(), damaged, engine.Config{MemoryBytes: 64 << 20})
			if err != nil {
				fault(t, err)
			}
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}
