package isolate

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmpool/wasmpool/abi"
	"github.com/wasmpool/wasmpool/internal/guestbuild"
	"github.com/wasmpool/wasmpool/isolate/engine"
	"github.com/wasmpool/wasmpool/isolate/wazero"
	"github.com/wasmpool/wasmpool/testdata/wasm"
)

// loadWorker loads a real module with the real engine.
func loadWorker(t testing.TB, name string, settings Settings) (*Isolate, Info, *journal) {
	t.Helper()
	settings.Name = name + ".wasm"
	return load(t, wazero.New(), settings, wasm.Module(name))
}

func TestWorkerInC(t *testing.T) {
	t.Parallel()
	x, info, j := loadWorker(t, "echo", Settings{Limits: Limits{MemoryBytes: 8 << 20, OutputBytes: 1 << 20}})
	if !slices.Contains(info.Functions, "greet") || slices.Contains(info.Functions, "wasmpool_signal") {
		t.Errorf("Info.Functions is %q", info.Functions)
	}
	host := &scriptedHost{call: func(name string, payload []byte) (int32, []byte) {
		switch name {
		case "upper":
			return 0, []byte(strings.ToUpper(string(payload)))
		case "failing":
			return abi.HostFailed, []byte(`{"message":"why"}`)
		}
		return abi.HostNotFound, nil
	}}
	for _, row := range []struct {
		function, arguments string
		code                abi.Code
		payload             string // "*" before it: only its beginning
		logs                []string
	}{
		{"echo", `["a",{"b":[1]}]`, abi.Returned, `["a",{"b":[1]}]`, nil},
		{"echo", ``, abi.Returned, ``, nil},
		{"add", `[1, -20, 300000000000]`, abi.Returned, `299999999981`, nil},
		{"greet", `["wörld"]`, abi.Returned, `"Hello, wörld!"`, nil},
		{"fail", `["TypeError","not a number",7]`, abi.Failed, `{"name":"TypeError","message":"not a number","data":7}`, nil},
		{"fail", `["","plain"]`, abi.Failed, `plain`, nil},
		{"fail", `[]`, abi.Failed, `{"message":"returned 1"}`, nil},
		{"fib", `[20]`, abi.Returned, `6765`, nil},
		{"sieve", `[1000000]`, abi.Returned, `78498`, nil},
		{"log", `[4,"careful"]`, abi.Returned, `null`, []string{"0/4 careful"}},
		{"print", `[1,"one\ntwo"]`, abi.Returned, `null`, []string{"1/0 one", "1/0 two"}},
		{"print", `[2,"oops"]`, abi.Returned, `null`, []string{"2/0 oops"}},
		{"host", `["upper","text"]`, abi.Returned, `"TEXT"`, nil},
		{"host", `["failing","text"]`, abi.Failed, `{"message":"why"}`, nil},
		{"host", `["nobody","text"]`, abi.Failed, `host returned -2`, nil},
		{"context", `[]`, abi.Returned, `{"id":7,"attempt":1,"tenant":"blue"}`, nil},
		{"sleep", `[1]`, abi.Returned, `1`, nil},
		{"trap", `[]`, abi.Trapped, `*{"message":"unreachable","name":"Trap","stack":"`, nil},
		{"panic", `["boom"]`, abi.Trapped, `*{"data":{"stderr":"panic: boom\n\nsomewhere in the guest\n"},"message":"unreachable: panic: boom"`, []string{"2/0 panic: boom", "2/0 ", "2/0 somewhere in the guest"}},
		{"exit", `[3]`, abi.Exited, `{"data":{"code":3},"message":"exited with code 3","name":"Exit"}`, nil},
		{"recurse", `[]`, abi.Trapped, `*{"message":"`, nil},
		{"big", `[1048577]`, abi.OverLimit, `{"name":"output","value":1048576,"unit":"bytes"}`, nil},
		{"big", `[9000000]`, abi.Trapped, `*{"message":"unreachable`, nil},
		{"grow", `[]`, abi.Returned, `128`, nil},
		{"nobody", `[]`, abi.NotFound, `*{"message":"module \"echo.wasm\" has no function \"nobody\"`, nil},
		{"wasmpool_signal", `[]`, abi.NotFound, `*{"message":"`, nil},
	} {
		code, payload := x.Call(0, &Call{
			ID: 7, Attempt: 1, DeadlineMS: -1, Function: row.function,
			Arguments: []byte(row.arguments), Meta: []byte(`{"tenant":"blue"}`), Host: host,
		})
		got := string(payload)
		want, beginning := strings.CutPrefix(row.payload, "*")
		if beginning {
			got = got[:min(len(got), len(want))]
		}
		if code != row.code || got != want {
			t.Errorf("%s%s: got %v %.200s\nwant %v %s", row.function, row.arguments, code, payload, row.code, row.payload)
		}
		if diff := cmp.Diff(row.logs, j.take()); diff != "" {
			t.Errorf("%s%s: logs: %s", row.function, row.arguments, diff)
		}
	}
	x.Signal(15)
	if diff := cmp.Diff([]string{"0/0 signal 15"}, j.take()); diff != "" {
		t.Errorf("signal: %s", diff)
	}
	x.Collect()
	if code, payload := x.Call(0, &Call{Function: "add", Arguments: []byte("[1,2]"), DeadlineMS: -1}); code != abi.Returned || string(payload) != "3" {
		t.Errorf("after a collection: %v %s", code, payload)
	}
}

func TestStateLivesUntilTheInstanceEnds(t *testing.T) {
	t.Parallel()
	x, _, _ := loadWorker(t, "echo", Settings{})
	for i, step := range []struct{ function, want string }{
		{"counter", "1"}, {"counter", "2"}, {"fail", `{"message":"returned 1"}`}, {"counter", "3"}, {"trap", ""}, {"counter", "1"}, {"exit", ""}, {"counter", "1"},
	} {
		_, payload := x.Call(0, &Call{Function: step.function, Arguments: []byte("[]"), DeadlineMS: -1})
		if step.want != "" && string(payload) != step.want {
			t.Errorf("step %d, %s: got %s, want %s", i, step.function, payload, step.want)
		}
	}
}

func TestWaitEndsWhenTheCallerGivesUp(t *testing.T) {
	t.Parallel()
	x, _, _ := loadWorker(t, "echo", Settings{})
	asked := 0
	host := &scriptedHost{cancelled: func() bool { asked++; return asked == 1000 }}
	if code, payload := x.Call(0, &Call{Function: "wait", DeadlineMS: -1, Host: host}); code != abi.Returned || string(payload) != "1000" {
		t.Errorf("got %v %s, want 1000", code, payload)
	}
}

func TestSlotsRunAtTheSameTime(t *testing.T) {
	t.Parallel()
	const slots = 3
	x, _, _ := loadWorker(t, "echo", Settings{Slots: slots})
	// Each slot's call waits until all have begun.
	var begun sync.WaitGroup
	begun.Add(slots)
	host := func() *scriptedHost {
		return &scriptedHost{call: func(string, []byte) (int32, []byte) {
			begun.Done()
			begun.Wait()
			return 0, []byte("1")
		}}
	}
	var done sync.WaitGroup
	for slot := range slots {
		done.Go(func() {
			if code, payload := x.Call(slot, &Call{Function: "host", Arguments: []byte(`["f",""]`), DeadlineMS: -1, Host: host()}); code != abi.Returned {
				t.Errorf("slot %d: %v %s", slot, code, payload)
			}
			for n := range 200 {
				want := fmt.Sprint(n + slot)
				code, payload := x.Call(slot, &Call{Function: "add", Arguments: fmt.Appendf(nil, "[%d,%d]", n, slot), DeadlineMS: -1})
				if code != abi.Returned || string(payload) != want {
					t.Errorf("slot %d: %v %s, want %s", slot, code, payload, want)
				}
				if n%50 == 0 {
					x.Call(slot, &Call{Function: "trap", DeadlineMS: -1})
				}
			}
		})
	}
	done.Wait()
}

func TestDispatchedWorker(t *testing.T) {
	t.Parallel()
	x, info, j := loadWorker(t, "dispatch", Settings{})
	if diff := cmp.Diff([]string{"direct", "failing", "gone", "listed"}, info.Functions); diff != "" {
		t.Error(diff)
	}
	for name, want := range map[string]string{
		"listed": `returned "dispatched"`, "direct": `returned "exported"`, "failing": `failed {"message":"returned 5"}`,
		"gone": "not found", "helper": "not found",
	} {
		code, payload := x.Call(0, &Call{Function: name, DeadlineMS: -1})
		if got := fmt.Sprintf("%v %s", code, payload); !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
	if logs := j.take(); logs != nil {
		t.Errorf("logs: %q", logs)
	}
}

func TestPanicOfAGoWorkerSaysWhy(t *testing.T) {
	t.Parallel()
	x, _, _ := load(t, wazero.New(), Settings{Name: "go.wasm"}, guestbuild.Go(t, "wazero/testdata/echo"))
	for range 2 {
		code, payload := x.Call(0, &Call{Function: "panics", DeadlineMS: -1})
		e := abi.ParseError(payload)
		if code != abi.Trapped && code != abi.Exited || !strings.HasSuffix(e.Message, ": panic: boom") || !strings.Contains(string(e.Data), "goroutine") {
			t.Errorf("got %v %s", code, payload)
		}
		if code, payload := x.Call(0, &Call{Function: "echo", Arguments: []byte("[1]"), DeadlineMS: -1}); code != abi.Returned || string(payload) != "[1]" {
			t.Errorf("the next call: got %v %s", code, payload)
		}
	}
}

func TestHostileModulesAreRefusedWithAReason(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		fault abi.Fault
		text  string
	}{
		"hostile-start-trap": {abi.InitFailed, "trapped while it started: unreachable"},
		"hostile-init-trap":  {abi.InitFailed, "unreachable: no configuration"},
		"hostile-init-exit":  {abi.InitFailed, "exited with code 3"},
		"hostile-init-fail":  {abi.InitFailed, "no database"},
		"hostile-imports":    {abi.UnknownImport, `"env"."missing"`},
		"hostile-command":    {abi.WrongShape, "-buildmode=c-shared"},
		"server":             {abi.WrongShape, "is a server"},
		"hostile-memory":     {abi.TooLarge, "4294967296 bytes"},
		"hostile-table":      {abi.TooLarge, "134217728 elements"},
		"hostile-types":      {abi.WrongShape, "wide () -> (i64)"},
		"hostile-call-type":  {abi.WrongShape, "wasmpool_call"},
		"hostile-no-memory":  {abi.WrongShape, "no memory"},
		"hostile-data":       {abi.InitFailed, "data"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := New(wazero.New(), nil)
			_, err := x.Load(t.Context(), Settings{Name: name}, wasm.Module(name))
			var invalid *engine.InvalidError
			if !errors.As(err, &invalid) || invalid.Fault != row.fault || !strings.Contains(invalid.Message, row.text) {
				t.Errorf("got %v, want fault %q with %q", err, row.fault, row.text)
			}
			if err := x.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestInfoTravelsAsJSON(t *testing.T) {
	t.Parallel()
	_, info, _ := loadWorker(t, "traps", Settings{Role: Inspect})
	text, err := json.Marshal(info)
	if err != nil {
		t.Fatal(err)
	}
	var back Info
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(info, back); diff != "" {
		t.Error(diff)
	}
	if len(info.Exports) == 0 || len(info.Imports) != 1 || !info.Compiled || !strings.HasPrefix(info.Engine, "wazero ") {
		t.Errorf("got %s", text)
	}
}

func TestCallAllocatesNothing(t *testing.T) { // not parallel: it counts allocations
	x, _, _ := loadWorker(t, "echo", Settings{})
	call := &Call{Function: "echo", Arguments: make([]byte, 32), DeadlineMS: 1000, Host: &scriptedHost{}}
	x.Call(0, call)
	if got := testing.AllocsPerRun(1000, func() { x.Call(0, call) }); got != 0 {
		t.Errorf("a call allocates %v times", got)
	}
}

func BenchmarkCall(b *testing.B) {
	for _, size := range []int{32, 64 << 10} {
		b.Run(fmt.Sprintf("guest=c/payload=%dB", size), func(b *testing.B) {
			x, _, _ := loadWorker(b, "echo", Settings{})
			call := &Call{Function: "echo", Arguments: make([]byte, size), DeadlineMS: -1}
			b.ReportAllocs()
			b.SetBytes(int64(size))
			for b.Loop() {
				if code, payload := x.Call(0, call); code != abi.Returned {
					b.Fatalf("%v %s", code, payload)
				}
			}
		})
	}
}
