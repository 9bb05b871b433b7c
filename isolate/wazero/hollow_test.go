package wazero

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmpool/wasmpool/isolate/engine"
	"github.com/wasmpool/wasmpool/isolate/engine/enginetest"
	"github.com/wasmpool/wasmpool/testdata/wasm"
)

// Whatever wazero finds wrong with code that is bound to the module, what runs in
// its place is the module, and not the hollow one.
func TestAHollowModuleNeverRuns(t *testing.T) {
	t.Parallel()
	source := wasm.Module("echo")
	good := enginetest.Compile(t, New, source)
	magic := bytes.Index(good, []byte("WAZEVO"))
	if magic < 0 {
		t.Fatal("the code does not begin as expected")
	}
	for name, damage := range map[string]func(code []byte){
		"code of nobody":               func(code []byte) { code[magic] ^= 1 },
		"code of another version":      func(code []byte) { code[magic+len("WAZEVO")+1] ^= 1 },
		"code that fails its checksum": func(code []byte) { code[len(code)/2] ^= 1 },
	} {
		code := bytes.Clone(good)
		damage(code)
		host := &echoHost{input: []byte(`[1,2]`)}
		m, x := start(t, source, engine.Config{Code: enginetest.CodeFile(t, code), CodeSHA256: enginetest.Digest(code)}, host)
		if m.Describe().Cached {
			t.Errorf("%s was used", name)
		}
		if status, err := x.Invoke("add"); status != 0 || err != nil || string(host.output) != "3" {
			t.Errorf("%s: add(1, 2) = %q, %d, %v, want 3", name, host.output, status, err)
		}
	}
}

func TestAHollowModuleIsAsWellFormed(t *testing.T) {
	t.Parallel()
	for _, source := range append(damaged(), wasm.Module("echo")) {
		lowered, err := scan(source, engine.Config{})
		if err != nil {
			t.Fatal(err)
		}
		whole, err := scan(lowered.source, engine.Config{})
		if err != nil {
			t.Fatal(err)
		}
		o, err := scan(hollow(whole.source), engine.Config{})
		if err != nil {
			t.Errorf("%x, hollowed out, is refused: %v", source, err)
			continue
		}
		o.source, o.rebuilt = whole.source, whole.rebuilt
		if diff := cmp.Diff(whole, o, cmp.AllowUnexported(outline{}, table{}, limits{})); diff != "" {
			t.Errorf("%x, hollowed out, is another (-want +got):\n%s", source, diff)
		}
	}
}
