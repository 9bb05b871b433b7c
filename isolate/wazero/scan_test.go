package wazero

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmpool/wasmpool/abi"
	"github.com/wasmpool/wasmpool/isolate/engine"
	"github.com/wasmpool/wasmpool/testdata/wasm"
)

const empty = "\x00asm\x01\x00\x00\x00"

func TestScanLeavesAModuleAsItIs(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"echo", "probe", "dispatch", "server", "hostile-imports"} {
		source := wasm.Module(name)
		o, err := scan(source, engine.Config{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !bytes.Equal(o.source, source) {
			t.Errorf("%s was changed", name)
		}
	}
}

func TestScanLowersTheMaximaOfTables(t *testing.T) {
	t.Parallel()
	unbounded := []byte(empty + "\x04\x07\x02\x70\x00\x02\x6f\x00\x01") // tables of at least 2 and 1
	for _, row := range []struct {
		name  string
		limit int64
		want  []table // nil: too large
	}{
		{"shared out", 103, []table{{0x70, limits{2, 52, true}}, {0x6f, limits{1, 51, true}}}},
		{"an odd rest", 104, []table{{0x70, limits{2, 52, true}}, {0x6f, limits{1, 51, true}}}},
		{"no room to grow", 3, []table{{0x70, limits{2, 2, true}}, {0x6f, limits{1, 1, true}}}},
		{"no room at all", 2, nil},
	} {
		o, err := scan(unbounded, engine.Config{TableElements: row.limit})
		if row.want == nil {
			var invalid *engine.InvalidError
			if !errors.As(err, &invalid) || invalid.Fault != abi.TooLarge {
				t.Errorf("%s: got %v", row.name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		again, err := scan(o.source, engine.Config{})
		if err != nil {
			t.Errorf("%s: what was rebuilt: %v", row.name, err)
			continue
		}
		if diff := cmp.Diff(row.want, again.tables, cmp.AllowUnexported(table{}, limits{})); diff != "" {
			t.Errorf("%s: %s", row.name, diff)
		}
	}
}

func TestScanLeavesOutAMalformedNameSection(t *testing.T) {
	t.Parallel()
	for name, names := range map[string]string{
		"a count of all":     "\x01\x05\xff\xff\xff\xff\x0f",
		"not UTF-8":          "\x00\x02\x01\xff",
		"cut":                "\x01\x7f",
		"out of order":       "\x01\x01\x00\x00\x01\x00",
		"longer than it is":  "\x01\x02\x00\x00",
		"a count for locals": "\x02\x07\x01\x00\xff\xff\xff\xff\x0f",
	} {
		section := "\x04name" + names
		source := empty + "\x00" + string(rune(len(section))) + section + "\x05\x03\x01\x00\x01"
		o, err := scan([]byte(source), engine.Config{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got, want := string(o.source), empty+"\x05\x03\x01\x00\x01"; got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestImportErrorIsBounded(t *testing.T) {
	t.Parallel()
	var body bytes.Buffer
	const imports = 100
	body.WriteByte(imports)
	for range imports {
		name := strings.Repeat("x", 120)
		body.WriteString("\x78" + name + "\x78" + name + "\x00\x00")
	}
	size := body.Len()
	source := append([]byte(empty+"\x01\x04\x01\x60\x00\x00\x02"), byte(size)|0x80, byte(size>>7)|0x80, byte(size>>14))
	_, err := New().Load(t.Context(), append(source, body.Bytes()...), engine.Config{})
	var invalid *engine.InvalidError
	if !errors.As(err, &invalid) || invalid.Fault != abi.UnknownImport {
		t.Fatalf("got %v", err)
	}
	if len(invalid.Message) > 4096 || !strings.Contains(invalid.Message, "and 92 more") {
		t.Errorf("got %d bytes: %s", len(invalid.Message), invalid.Message)
	}
}

func TestImportErrorSaysWhatWouldProvideIt(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ module, name, want string }{
		{"wasmpool", "teleport", "has cancelled, context, fail, function, host, input, log, output, reply"},
		{"wasmpool2", "input", "version 1"},
		{wasi, "fd_teleport", "no such function"},
		{"wasi_unstable", "fd_write", "wasip1"},
		{"wasi:io/streams@0.2.0", "read", "preview 2"},
		{"gojs", "runtime.wasmExit", "GOOS=wasip1"},
		{"__wbindgen_placeholder__", "x", "wasm-bindgen"},
		{"extism:host/env", "input_length", "Extism"},
		{"env", "emscripten_notify_memory_growth", "emcc"},
		{"env", "printf", "undefined by the linker"},
		{"host", "f", `"wasmpool" and "wasi_snapshot_preview1"`},
	} {
		if got := remedy(row.module, row.name); !strings.Contains(got, row.want) {
			t.Errorf("%s.%s: got %q, want %q in it", row.module, row.name, got, row.want)
		}
	}
}

// FuzzLoad: whatever the bytes, they are a module or a typed error, within the
// memory of the test.
func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob("../../testdata/wasm/*.wasm")
	if err != nil || len(files) == 0 {
		f.Fatal(files, err)
	}
	for _, file := range files {
		if source := wasm.Module(strings.TrimSuffix(filepath.Base(file), ".wasm")); len(source) < 2000 {
			f.Add(source)
		}
	}
	f.Add([]byte(empty + "\x04\x07\x02\x70\x00\x02\x6f\x00\x01"))
	f.Fuzz(func(t *testing.T, source []byte) {
		e := New()
		_, err := e.Load(t.Context(), source, engine.Config{MemoryBytes: 1 << 20, TableElements: 1000})
		var invalid *engine.InvalidError
		if err != nil && !errors.As(err, &invalid) {
			t.Errorf("got %v (%T)", err, err)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
}
