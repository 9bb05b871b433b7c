package guest_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/sys"

	"github.com/wasmpool/wasmpool/abi"
)

func TestWasmImportsAndExportsAreThoseOfTheABI(t *testing.T) {
	t.Parallel()
	code := newWasmHost(t).code
	var imports []string
	for _, f := range code.ImportedFunctions() {
		if module, name, _ := f.Import(); module == abi.Module {
			imports = append(imports, name)
		} else if module != "wasi_snapshot_preview1" {
			t.Errorf("imports %s from %s", name, module)
		}
	}
	slices.Sort(imports)
	want := []string{
		abi.ImportCancelled, abi.ImportContext, abi.ImportFail, abi.ImportFunction, abi.ImportHost,
		abi.ImportInput, abi.ImportLog, abi.ImportOutput, abi.ImportReply,
	}
	if diff := cmp.Diff(want, imports); diff != "" {
		t.Errorf("imports (-want +got):\n%s", diff)
	}
	var exports []string
	for name := range code.ExportedFunctions() {
		exports = append(exports, name)
	}
	slices.Sort(exports)
	want = []string{abi.ExportInitialize, abi.ExportCall, abi.ExportFunctions, abi.ExportInit, abi.ExportSignal}
	if diff := cmp.Diff(want, exports); diff != "" {
		t.Errorf("exports (-want +got):\n%s", diff)
	}
	if _, ok := code.ExportedMemories()[abi.ExportMemory]; !ok {
		t.Error("exports no memory")
	}
}

// wasmCalls run one after the other in one instance.
var wasmCalls = []struct{ function, arguments, want string }{
	{"echo", `["a",{"b":[1,null]}]`, `["a",{"b":[1,null]}]`},
	{"echo", ``, ``},
	{"echo", "any \xff bytes \x00", "any \xff bytes \x00"},
	{"greet", `["Wörld"]`, `"Hello, Wörld"`},
	{"add", `[1,2.5,-4]`, `-0.5`},
	{"add", `[]`, `0`},
	{"counter", `[]`, `1`},
	{"counter", `[]`, `2`},
	{"big", `[5]`, `"xxxxx"`},
	{"big", `[3000000]`, `"` + strings.Repeat("x", 3000000) + `"`},
	{"env", `["PRESENT"]`, `"set"`},
	{"env", `["ABSENT"]`, `""`},
	{"args", `[]`, `["testworker","one","two"]`},
	{"sleep", `[20]`, ``},
	{"recurse", `[10000]`, `10000`},
	{"garbage", `[200]`, `209715200`},
	{"hold", `[2]`, `2`},
	{"hold", `[3]`, `5`},
	{"counter", `[]`, `3`},
}

func TestWasmCallsReturn(t *testing.T) {
	t.Parallel()
	h := newWasmHost(t, "PRESENT")
	if status, err := h.invoke(abi.ExportInit); status != 0 || err != nil {
		t.Fatalf("%s = %d, %v", abi.ExportInit, status, err)
	}
	for _, tt := range wasmCalls {
		status, output, failure := h.run(t, tt.function, tt.arguments)
		if status != 0 || output != tt.want || failure != nil {
			t.Errorf("%s(%.80s) = %d, %.80q, %v, want %.80q", tt.function, tt.arguments, status, output, failure, tt.want)
		}
	}
}

func TestWasmCallsFail(t *testing.T) {
	t.Parallel()
	h := newWasmHost(t)
	for _, tt := range []struct {
		function, arguments string
		status              int32
		want                *abi.Error
	}{
		{"fail", `["","plain",null]`, 1, &abi.Error{Name: "Error", Message: "plain"}},
		{"fail", `["N","m",{"a":[1]}]`, 1, &abi.Error{Name: "N", Message: "m", Data: json.RawMessage(`{"a":[1]}`)}},
		{"greet", `[7]`, 1, &abi.Error{Name: "ArgumentError", Message: "argument 1: got number, wants string", Data: json.RawMessage(`{"argument":1}`)}},
		{"greet", `nonsense`, 1, &abi.Error{Name: "ArgumentError", Message: "the arguments are not a JSON array: invalid character 'o' in literal null (expecting 'u')"}},
		{"missing", `[]`, 2, nil},
		{"", `[]`, 2, nil},
		{strings.Repeat("x", 70000), `[]`, 2, nil},
	} {
		status, output, failure := h.run(t, tt.function, tt.arguments)
		if diff := cmp.Diff(tt.want, failure); status != tt.status || output != "" || diff != "" {
			t.Errorf("%.40s(%s) = %d, %q, want %d and the error (-want +got):\n%s", tt.function, tt.arguments, status, output, tt.status, diff)
		}
	}
}

func TestWasmPanicFailsTheCallAndKeepsTheInstance(t *testing.T) {
	t.Parallel()
	h := newWasmHost(t)
	for want := range 3 {
		status, output, _ := h.run(t, "counter", `[]`)
		if status != 0 || output != string(rune('1'+want)) {
			t.Fatalf("counter = %d, %s, want %d", status, output, want+1)
		}
		status, _, failure := h.run(t, "panic", `["ouch"]`)
		if status != 1 || failure == nil || failure.Name != "Panic" || failure.Message != "ouch" || string(failure.Data) != `"ouch"` || !strings.Contains(failure.Stack, "main.") {
			t.Fatalf("panic = %d, %#v", status, failure)
		}
	}
}

func TestWasmLogsAndPrints(t *testing.T) {
	t.Parallel()
	h := newWasmHost(t)
	h.run(t, "log", `[4,"careful"]`)
	h.run(t, "log", `[-4,"detail"]`)
	h.run(t, "print", `["a line"]`)
	if _, err := h.invoke(abi.ExportSignal, 15); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"4 careful", "-4 detail", "0 asked to stop signal=15"}, h.logs); diff != "" {
		t.Errorf("logs (-want +got):\n%s", diff)
	}
	if h.stdout.String() != "a line\n" || h.stderr.String() != "a line\n" {
		t.Errorf("printed %q and %q, want a line each", &h.stdout, &h.stderr)
	}
}

func TestWasmHostFunctionsReplyFailAndAreNotGranted(t *testing.T) {
	t.Parallel()
	h := newWasmHost(t)
	h.granted = map[string]func([]byte) ([]byte, int32){
		"wrap":  func(in []byte) ([]byte, int32) { return []byte(`{"got":` + string(in) + `}`), 0 },
		"large": func([]byte) ([]byte, int32) { return []byte(`"` + strings.Repeat("y", 100000) + `"`), 0 },
		"fail": func([]byte) ([]byte, int32) {
			return []byte(`{"name":"N","message":"m","data":1,"code":2}`), abi.HostFailed
		},
		"cancel": func([]byte) ([]byte, int32) { return nil, abi.HostCancelled },
	}
	for _, tt := range []struct {
		arguments string
		want      string
		failure   *abi.Error
	}{
		{`["wrap","a",1]`, `{"got":["a",1]}`, nil},
		{`["large"]`, `"` + strings.Repeat("y", 100000) + `"`, nil},
		{`["fail"]`, "", &abi.Error{Name: "N", Message: "m", Data: json.RawMessage("1"), Extra: map[string]json.RawMessage{"code": json.RawMessage("2")}}},
		{`["cancel"]`, "", &abi.Error{Name: "Error", Message: `guest: host function "cancel": context canceled`}},
		{`["missing"]`, "", &abi.Error{Name: "NotGrantedError", Message: `guest: no host function "missing" is granted`}},
	} {
		_, output, failure := h.run(t, "host", tt.arguments)
		if diff := cmp.Diff(tt.failure, failure); output != tt.want || diff != "" {
			t.Errorf("host(%s) = %.80q, want %.80q and the error (-want +got):\n%s", tt.arguments, output, tt.want, diff)
		}
	}
}

func TestWasmContextTellsOfTheCall(t *testing.T) {
	t.Parallel()
	h := newWasmHost(t)
	_, output, failure := h.run(t, "context", `[]`)
	if want := `{"id":0,"attempt":0,"has_deadline":false,"left_ms":0,"traceparent":"","meta":{}}`; output != want || failure != nil {
		t.Errorf("without members: %s, %v, want %s", output, failure, want)
	}
	h.about = `{"id":7,"attempt":2,"deadline_ms":3600000,"traceparent":"00-a-b-01","tenant":"` + strings.Repeat("x", 9000) + `"}`
	_, output, failure = h.run(t, "context", `[]`)
	var got struct {
		LeftMS int64 `json:"left_ms"`
		Meta   map[string]string
	}
	if err := json.Unmarshal([]byte(output), &got); err != nil || failure != nil {
		t.Fatalf("%s, %v, %v", output, err, failure)
	}
	if got.LeftMS <= 0 || got.LeftMS > 3600000 || len(got.Meta["tenant"]) != 9000 {
		t.Errorf("got %.200s, want at most 3600000 ms left and the tenant", output)
	}
}

func TestWasmCancellationIsSeenByThoseWhoWaitAndThoseWhoPoll(t *testing.T) {
	t.Parallel()
	h := newWasmHost(t)
	for _, function := range []string{"wait", "poll"} {
		asked := 0
		h.cancelled = func() bool {
			asked++
			return asked > 3
		}
		status, _, failure := h.run(t, function, `[]`)
		if status != 1 || failure == nil || failure.Message != "context canceled" {
			t.Errorf("%s = %d, %v, want context canceled", function, status, failure)
		}
		h.cancelled = nil
		h.about = `{"deadline_ms":30}`
		status, _, failure = h.run(t, function, `[]`)
		if status != 1 || failure == nil || failure.Message != "context deadline exceeded" {
			t.Errorf("%s = %d, %v, want context deadline exceeded", function, status, failure)
		}
		h.about = "{}"
	}
}

func TestWasmInitFailureSaysWhy(t *testing.T) {
	t.Parallel()
	h := newWasmHost(t, "FAIL_INIT")
	status, err := h.invoke(abi.ExportInit)
	if want := (&abi.Error{Name: "Error", Message: "set"}); status != 1 || err != nil || cmp.Diff(want, abi.ParseError(h.failed)) != "" {
		t.Errorf("init = %d, %v, %s, want 1 and %v", status, err, h.failed, want)
	}
}

func TestWasmInstanceEndsByExitAndByExhaustion(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		function, arguments string
		says                string // on standard error
	}{
		{"exit", `[3]`, ""},
		{"hold", `[1000]`, "out of memory"},
		{"recurse", `[-1]`, ""},
	} {
		h := newWasmHost(t)
		h.function, h.input = tt.function, []byte(tt.arguments)
		_, err := h.invoke(abi.ExportCall)
		if err == nil || !strings.Contains(h.stderr.String(), tt.says) {
			t.Errorf("%s(%s): error %v, said %.200q, want an end and %q", tt.function, tt.arguments, err, &h.stderr, tt.says)
		}
		exit, exited := errors.AsType[*sys.ExitError](err)
		if tt.function == "exit" && (!exited || exit.ExitCode() != 3) {
			t.Errorf("exit(3) ended with %v", err)
		}
	}
}

func TestWasmLoopEndsOnlyByForce(t *testing.T) {
	t.Parallel()
	// Not how a pool does it: the check in every loop makes guests slow. The
	// interpreter is ready sooner here than a second compilation.
	h := newWasmHostIn(t, wazero.NewRuntimeConfigInterpreter().WithCloseOnContextDone(true))
	ctx, cancel := context.WithCancel(h.ctx)
	h.ctx, h.function = ctx, "loop"
	asked := false
	h.asked = func() { asked = true; cancel() }
	_, err := h.invoke(abi.ExportCall)
	if exit, ok := errors.AsType[*sys.ExitError](err); !asked || !ok || exit.ExitCode() != sys.ExitCodeContextCanceled {
		t.Errorf("loop ended with %v, want the end of its context", err)
	}
}

func TestEveryFunctionOfTheTestWorkerIsTried(t *testing.T) {
	t.Parallel()
	tried := []string{"fail", "panic", "log", "print", "host", "context", "wait", "poll", "exit", "loop"}
	for _, c := range wasmCalls {
		tried = append(tried, c.function)
	}
	// What needs directories is tried by the tests of package pool.
	tried = append(tried, "listDir", "readFile", "writeFile", "appendFile", "growFile", "truncate", "mkdir", "remove", "rename",
		"symlink", "link", "readlink", "stat", "openMany", "openAt")
	for _, name := range newWasmHost(t).names(t) {
		if !slices.Contains(tried, name) {
			t.Errorf("function %q of the test worker is never called here", name)
		}
	}
}

func BenchmarkWasmCall(b *testing.B) {
	for _, bb := range []struct{ name, function, arguments string }{
		{"raw echo 32 B", "echo", `["` + strings.Repeat("x", 28) + `"]`},
		{"raw echo 64 KiB", "echo", `["` + strings.Repeat("x", 64<<10) + `"]`},
		{"greet", "greet", `["world"]`},
		{"add", "add", `[1,2,3]`},
		{"context", "context", `[]`},
	} {
		b.Run(bb.name, func(b *testing.B) {
			h := newWasmHost(b)
			h.function, h.input = bb.function, []byte(bb.arguments)
			call, stack := h.module.ExportedFunction(abi.ExportCall), make([]uint64, 1)
			b.ReportAllocs()
			for b.Loop() {
				if err := call.CallWithStack(h.ctx, stack); err != nil || stack[0] != 0 {
					b.Fatal(stack[0], err)
				}
			}
		})
	}
}
