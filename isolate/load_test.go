package isolate

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmpool/wasmpool/abi"
	"github.com/wasmpool/wasmpool/isolate/engine"
)

func returns(status int32) func(*guest) (int32, error) {
	return func(*guest) (int32, error) { return status, nil }
}

// puts is a function that puts text out.
func puts(text string) func(*guest) (int32, error) {
	return func(g *guest) (int32, error) { return 0, g.Host.Output([]byte(text)) }
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	type exports = map[string]func(*guest) (int32, error)
	pool := []engine.Func{{Module: "wasmpool", Name: "input"}}
	start := map[string]engine.Func{"_start": {}}
	for _, row := range []struct {
		name     string
		engine   *fakeEngine
		settings Settings
		source   string
		fault    abi.Fault
		texts    []string
	}{
		{"what the engine refuses", &fakeEngine{}, Settings{}, "bad", abi.NotWasm, []string{`it is bad`}},
		{"a module that is too large", &fakeEngine{}, Settings{Limits: Limits{ModuleBytes: 3}}, "four", abi.TooLarge, []string{"4 bytes", "limit is 3"}},
		{"a command that imports", &fakeEngine{types: start, imports: pool}, Settings{}, "", abi.WrongShape, []string{"_start", "-buildmode=c-shared"}},
		{"a command that dispatches", &fakeEngine{types: start, exports: exports{"wasmpool_call": returns(0)}}, Settings{}, "", abi.WrongShape, []string{"_start", "-buildmode=c-shared"}},
		{"a server", &fakeEngine{types: start, exports: exports{"f": returns(0)}}, Settings{}, "", abi.WrongShape, []string{"is a server", "reactors only"}},
		{"a command by setting", &fakeEngine{exports: exports{"f": returns(0)}}, Settings{Shape: abi.Command}, "", abi.WrongShape, []string{"is a command", "reactors only"}},
		{"nothing to call", &fakeEngine{types: map[string]engine.Func{"add": {Params: []string{"i32"}, Results: []string{"i32"}}}}, Settings{}, "", abi.WrongShape, []string{"() -> i32", "add (i32) -> (i32)"}},
		{"no exports", &fakeEngine{}, Settings{}, "", abi.WrongShape, []string{"it exports nothing"}},
		{"a dispatcher of another type", &fakeEngine{exports: exports{"f": returns(0)}, types: map[string]engine.Func{"wasmpool_call": {Params: []string{"i32"}}}}, Settings{}, "", abi.WrongShape, []string{"wasmpool_call with type (i32) -> ()", "want () -> (i32)"}},
		{"a signal of another type", &fakeEngine{exports: exports{"f": returns(0)}, types: map[string]engine.Func{"wasmpool_signal": {}}}, Settings{}, "", abi.WrongShape, []string{"wasmpool_signal"}},
		{"no memory", &fakeEngine{exports: exports{"f": returns(0)}, noMem: true}, Settings{}, "", abi.WrongShape, []string{`no memory named "memory"`}},
		{"a trap at start", &fakeEngine{exports: exports{"f": returns(0)}, start: func(g *guest) error {
			fmt.Fprintln(g.Stderr, "no configuration")
			return &engine.TrapError{Message: "unreachable"}
		}}, Settings{}, "", abi.InitFailed, []string{"trapped while it started: unreachable: no configuration"}},
		{"an exit at start", &fakeEngine{exports: exports{"f": returns(0)}, start: func(*guest) error { return &engine.ExitError{Code: 3} }}, Settings{}, "", abi.InitFailed, []string{"exited with code 3 while it started"}},
		{"init that says no", &fakeEngine{exports: exports{"f": returns(0), "wasmpool_init": func(g *guest) (int32, error) {
			return 1, g.Host.Fail([]byte(`{"name":"Config","message":"no database"}`))
		}}}, Settings{}, "", abi.InitFailed, []string{"is not ready: Config: no database"}},
		{"init that says nothing", &fakeEngine{exports: exports{"f": returns(0), "wasmpool_init": returns(9)}}, Settings{}, "", abi.InitFailed, []string{"wasmpool_init returned 9"}},
		{"init that traps", &fakeEngine{exports: exports{"f": returns(0), "wasmpool_init": func(*guest) (int32, error) { return 0, &engine.TrapError{Message: "divide"} }}}, Settings{}, "", abi.InitFailed, []string{"trapped in wasmpool_init: divide"}},
		{"init that says too much", &fakeEngine{exports: exports{"f": returns(0), "wasmpool_init": func(g *guest) (int32, error) { return 0, g.Host.Fail(make([]byte, 17)) }}}, Settings{Limits: Limits{OutputBytes: 16}}, "", abi.InitFailed, []string{"error exceeds its limit of 16 bytes"}},
		{"a list that is none", &fakeEngine{exports: exports{"f": returns(0), "wasmpool_functions": puts("f, g")}}, Settings{}, "", abi.WrongShape, []string{`put "f, g"`}},
		{"a list that fails", &fakeEngine{exports: exports{"f": returns(0), "wasmpool_functions": returns(4)}}, Settings{}, "", abi.InitFailed, []string{"wasmpool_functions returned 4"}},
		{"a list that traps", &fakeEngine{exports: exports{"f": returns(0), "wasmpool_functions": func(*guest) (int32, error) { return 0, &engine.TrapError{Message: "null"} }}}, Settings{}, "", abi.InitFailed, []string{"trapped in wasmpool_functions: null"}},
		{"functions that it does not have", &fakeEngine{exports: exports{"f": returns(0)}}, Settings{Functions: []string{"f", "g"}}, "", abi.WrongShape, []string{`has no function "g"`, `it has "f"`}},
		{"functions that it does not list", &fakeEngine{exports: exports{"f": returns(0), "g": returns(0), "wasmpool_functions": puts(`["f"]`)}}, Settings{Functions: []string{"g"}}, "", abi.WrongShape, []string{`has no function "g"`}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			row.settings.Name = "worker"
			x := New(row.engine, nil)
			_, err := x.Load(t.Context(), row.settings, []byte(row.source))
			var invalid *engine.InvalidError
			if !errors.As(err, &invalid) || invalid.Fault != row.fault {
				t.Fatalf("got %v, want fault %q", err, row.fault)
			}
			for _, text := range row.texts {
				if !strings.Contains(invalid.Message, text) {
					t.Errorf("%q does not say %q", invalid.Message, text)
				}
			}
			if err := x.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestLoadNamesEveryBadSetting(t *testing.T) {
	t.Parallel()
	_, err := New(&fakeEngine{}, nil).Load(t.Context(), Settings{
		Role: "dance", Shape: "round", Slots: -1, Args: []string{"a\x00b"}, Env: []string{"NOVALUE", "=x"},
		Limits: Limits{MemoryBytes: -1, OutputBytes: 1 << 40},
	}, nil)
	if err == nil {
		t.Fatal("Load succeeded")
	}
	for _, text := range []string{`"dance"`, `"round"`, "slots is -1", `"a\x00b"`, `"NOVALUE"`, `"=x"`, "memory_bytes is -1", "output_bytes is 1099511627776"} {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("%q does not say %s", err, text)
		}
	}
}

func TestLoadComparesTheDigest(t *testing.T) {
	t.Parallel()
	e := &fakeEngine{exports: map[string]func(*guest) (int32, error){"f": returns(0)}}
	const digest = "2CF24DBA5FB0A30E26E83B2AC5B9E29E1B161E5C1FA7425E73043362938B9824" // of "hello"
	if _, err := New(e, nil).Load(t.Context(), Settings{SHA256: digest}, []byte("hullo")); err == nil || !strings.Contains(err.Error(), digest) {
		t.Errorf("another module: got %v", err)
	}
	_, info, _ := load(t, e, Settings{SHA256: digest}, []byte("hello"))
	if info.SHA256 != strings.ToLower(digest) {
		t.Errorf("Info has %s", info.SHA256)
	}
}

func TestRolesThatDoNotServeRunNothing(t *testing.T) {
	t.Parallel()
	for _, settings := range []Settings{{Role: Inspect}, {Role: Compile, Code: os.Stdout}} {
		e := &fakeEngine{
			exports: map[string]func(*guest) (int32, error){"f": returns(0), "wasmpool_call": returns(0)},
			imports: []engine.Func{{Module: "wasmpool", Name: "input"}},
		}
		_, info, _ := load(t, e, settings, nil)
		if len(e.instances) != 0 {
			t.Errorf("%s made %d instances", settings.Role, len(e.instances))
		}
		if diff := cmp.Diff([]string{"f"}, info.Functions); diff != "" || !info.Dispatches || info.Shape != abi.Reactor {
			t.Errorf("%s: %+v", settings.Role, info)
		}
		if got := len(info.Imports) + len(info.Exports); got != map[Role]int{Inspect: 3, Compile: 0}[settings.Role] {
			t.Errorf("%s lists %d imports and exports", settings.Role, got)
		}
	}
	if _, err := New(&fakeEngine{}, nil).Load(t.Context(), Settings{Role: Compile}, nil); err == nil {
		t.Error("role compile works without a cache")
	}
	_, info, _ := load(t, &fakeEngine{types: map[string]engine.Func{"_start": {}}}, Settings{Role: Inspect}, nil)
	if info.Shape != abi.Server {
		t.Errorf("a server is described as %q", info.Shape)
	}
}

func TestListsOfAnInfoAreBounded(t *testing.T) {
	t.Parallel()
	function := func(name string, params int) engine.Func {
		return engine.Func{Name: name, Params: slices.Repeat([]string{"i32"}, params)}
	}
	for name, row := range map[string]struct {
		list []engine.Func
		want int
	}{
		"short":           {slices.Repeat([]engine.Func{function("f", 2)}, 100), 100},
		"many":            {slices.Repeat([]engine.Func{function("f", 2)}, 20_000), 10_000},
		"long names":      {slices.Repeat([]engine.Func{function(strings.Repeat("n", 1<<19), 0)}, 5), 2},
		"many parameters": {slices.Repeat([]engine.Func{function("f", 1000)}, 5000), 104},
	} {
		if got := listable(row.list); got != row.want {
			t.Errorf("%s: %d of %d are listed, want %d", name, got, len(row.list), row.want)
		}
	}
}

func TestSettingsReachTheEngine(t *testing.T) {
	t.Parallel()
	e := &fakeEngine{exports: map[string]func(*guest) (int32, error){"f": returns(0)}}
	load(t, e, Settings{Name: "w", Args: []string{"-v"}, Env: []string{"A=1"}, Code: os.Stdin, CodeSHA256: "c0de", Dirs: []Dir{{Guest: "/d", Host: "/h"}}, Limits: Limits{MemoryBytes: 5, TableElements: 6, OpenFiles: 7, FileBytes: 8}}, nil)
	want := engine.Config{MemoryBytes: 5, TableElements: 6, SHA256: sha256.Sum256(nil), Code: os.Stdin, CodeSHA256: "c0de", Dirs: []engine.Dir{{Guest: "/d", Host: "/h"}}, OpenFiles: 7, FileBytes: 8}
	if diff := cmp.Diff(want, e.config, cmp.Comparer(func(a, b *os.File) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([][]string{{"w", "-v"}, {"A=1"}}, [][]string{e.instances[0].Args, e.instances[0].Env}); diff != "" {
		t.Error(diff)
	}
}

func TestCloseClosesAllOnce(t *testing.T) {
	t.Parallel()
	e := &fakeEngine{exports: map[string]func(*guest) (int32, error){"f": returns(0)}}
	x := New(e, nil)
	if _, err := x.Load(t.Context(), Settings{Slots: 2}, nil); err != nil {
		t.Fatal(err)
	}
	if err := x.Close(); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"module", "engine"}, e.closed); diff != "" {
		t.Error(diff)
	}
	for i, g := range e.instances {
		if !g.closed {
			t.Errorf("instance %d is not closed", i)
		}
	}
}
