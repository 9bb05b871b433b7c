package guest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmpool/wasmpool/guest"
	"github.com/wasmpool/wasmpool/guest/guesttest"
)

type point struct{ X, Y int }

type customError struct{ code int }

func (e customError) Error() string { return fmt.Sprintf("code %d", e.code) }

// CustomError has a name that others can know.
type CustomError struct{}

func (*CustomError) Error() string { return "custom" }

func init() {
	guest.Export("nothing", func() {})
	guest.Export("value", func() string { return "<v> & ü" })
	guest.Export("pair", func() (string, int, error) { return "a", 1, nil })
	guest.Export("point", func(p point, q *point) point {
		if q == nil {
			return p
		}
		return point{p.X + q.X, p.Y + q.Y}
	})
	guest.Export("join", func(_ context.Context, sep string, parts ...string) string { return strings.Join(parts, sep) })
	guest.Export("duration", func(at time.Time, b []byte, m map[string]any) []any { return []any{at, b, m} })
	guest.Export("raw message", func(m json.RawMessage) json.RawMessage { return m })
	guest.Export("small", func(n int8) int8 { return n })
	guest.Export("infinite", func() float64 { return math.Inf(1) })
	guest.Export("nil slice", func() []int { return nil })

	guest.Export("plain error", func() error { return errors.New("plain") })
	guest.Export("unexported error", func() error { return customError{7} })
	guest.Export("exported error", func() error { return &CustomError{} })
	guest.Export("whole error", func() error {
		return &guest.Error{Name: "N", Message: "m", Data: map[string]int{"a": 1}, Stack: "s"}
	})
	guest.Export("wrapped error", func() (string, error) {
		return "lost", fmt.Errorf("around: %w", &guest.Error{Name: "N", Message: "m", Data: make(chan int)})
	})
	guest.Export("panic", func(v any) { panic(v) })
	guest.Export("panic with an error", func() { panic(fmt.Errorf("around: %w", &guest.Error{Message: "m", Data: 7})) })
	guest.Export("panic by index", func(i int) int { return []int{1}[i] })

	guest.ExportRaw("raw", func(_ context.Context, b []byte) ([]byte, error) { return b, nil })
	guest.ExportRaw("raw nil", func(context.Context, []byte) ([]byte, error) { return nil, nil })
	guest.ExportRaw("raw error", func(context.Context, []byte) ([]byte, error) { return []byte("lost"), errors.New("raw") })
}

func TestCallConvertsArgumentsAndResults(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ function, arguments, want string }{
		{"nothing", `[]`, `null`},
		{"nothing", ``, `null`},
		{"value", ` [ ] `, `"<v> & ü"`},
		{"pair", `[]`, `["a",1]`},
		{"point", `[{"X":1,"Y":2},{"X":3}]`, `{"X":4,"Y":2}`},
		{"point", `[{"X":1},null]`, `{"X":1,"Y":0}`},
		{"join", `["-"]`, `""`},
		{"join", `["-","a","b","c"]`, `"a-b-c"`},
		{"join", `[null,"a","b"]`, `"ab"`},
		{"duration", `["2026-01-02T03:04:05Z","AQI=",{"k":[1,null]}]`, `["2026-01-02T03:04:05Z","AQI=",{"k":[1,null]}]`},
		{"raw message", `[{"b":1,"a":[2]}]`, `{"b":1,"a":[2]}`},
		{"nil slice", `[]`, `null`},
		{"raw", `not JSON`, `not JSON`},
		{"raw", strings.Repeat("x", 3<<20), strings.Repeat("x", 3<<20)},
		{"raw nil", `[]`, `null`},
	} {
		got, err := new(guesttest.Host).CallRaw(t, tt.function, []byte(tt.arguments))
		if err != nil || string(got) != tt.want {
			t.Errorf("%s(%.80s) = %.80s, %v, want %.80s", tt.function, tt.arguments, got, err, tt.want)
		}
	}
}

func TestCallFailsWithWhatTheFunctionReturned(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		function, arguments string
		want                guest.Error
	}{
		{"plain error", `[]`, guest.Error{Name: "Error", Message: "plain"}},
		{"unexported error", `[]`, guest.Error{Name: "Error", Message: "code 7"}},
		{"exported error", `[]`, guest.Error{Name: "CustomError", Message: "custom"}},
		{"whole error", `[]`, guest.Error{Name: "N", Message: "m", Data: json.RawMessage(`{"a":1}`), Stack: "s"}},
		{"raw error", `[]`, guest.Error{Name: "Error", Message: "raw"}},
		{"infinite", `[]`, guest.Error{Name: "ResultError", Message: "the result cannot be expressed in JSON: json: unsupported value: +Inf"}},
		{"missing", `[]`, guest.Error{Name: "FunctionNotFound", Message: `no function "missing" is exported`}},
		{strings.Repeat("x", 300), `[]`, guest.Error{Name: "FunctionNotFound", Message: `no function "` + strings.Repeat("x", 300) + `" is exported`}},

		{"join", `[]`, guest.Error{Name: "ArgumentError", Message: "got 0 arguments, wants at least 1 argument"}},
		{"small", `[1,2]`, guest.Error{Name: "ArgumentError", Message: "got 2 arguments, wants 1 argument"}},
		{"point", `[{}]`, guest.Error{Name: "ArgumentError", Message: "got 1 argument, wants 2 arguments"}},
		{"small", `["x"]`, guest.Error{Name: "ArgumentError", Message: "argument 1: got string, wants int8", Data: json.RawMessage(`{"argument":1}`)}},
		{"small", `[300]`, guest.Error{Name: "ArgumentError", Message: "argument 1: got number 300, wants int8", Data: json.RawMessage(`{"argument":1}`)}},
		{"join", `["-","a",[]]`, guest.Error{Name: "ArgumentError", Message: "argument 3: got array, wants string", Data: json.RawMessage(`{"argument":3}`)}},
		{"point", `[{},{"Y":"2"}]`, guest.Error{Name: "ArgumentError", Message: `argument 2, member "Y": got string, wants int`, Data: json.RawMessage(`{"argument":2}`)}},
		{"small", `{"n":1}`, guest.Error{Name: "ArgumentError", Message: "the arguments are not a JSON array: json: cannot unmarshal object into Go value of type []json.RawMessage"}},
	} {
		_, err := new(guesttest.Host).CallRaw(t, tt.function, []byte(tt.arguments))
		if diff := cmp.Diff(error(&tt.want), err); diff != "" {
			t.Errorf("%.40s(%s) (-want +got):\n%s", tt.function, tt.arguments, diff)
		}
	}
}

func TestWrappedErrorKeepsItsFieldsAndDataThatJSONCannotCarryBecomesText(t *testing.T) {
	t.Parallel()
	_, err := guesttest.Call(t, "wrapped error")
	got, ok := errors.AsType[*guest.Error](err)
	if !ok || got.Name != "N" || got.Message != "m" || !strings.HasPrefix(string(got.Data.(json.RawMessage)), `"0x`) {
		t.Errorf("got %#v, want name N, message m and the channel's address as data", err)
	}
}

func TestPanicFailsTheCallWithItsStackAndValue(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		function  string
		arguments []any
		message   string
		data      any
	}{
		{"panic", []any{"ouch"}, "ouch", json.RawMessage(`"ouch"`)},
		{"panic", []any{map[string]int{"a": 1}}, "map[a:1]", json.RawMessage(`{"a":1}`)},
		{"panic by index", []any{5}, "runtime error: index out of range [5] with length 1", nil},
		{"panic with an error", nil, "around: m", json.RawMessage("7")},
	} {
		_, err := guesttest.Call(t, tt.function, tt.arguments...)
		got, ok := errors.AsType[*guest.Error](err)
		if !ok || got.Name != "Panic" || got.Message != tt.message || !strings.Contains(got.Stack, "guest_test.init") {
			t.Errorf("%s(%v) failed with %#v, want Panic: %s", tt.function, tt.arguments, err, tt.message)
			continue
		}
		if diff := cmp.Diff(tt.data, got.Data); diff != "" {
			t.Errorf("%s(%v): data (-want +got):\n%s", tt.function, tt.arguments, diff)
		}
	}
}

func TestExportPanicsWithOneSentenceAboutABadExport(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		fn   any
		want string
	}{
		{"x", 7, `guest: Export("x"): a int is not a function`},
		{"x", nil, `guest: Export("x"): a <nil> is not a function`},
		{"x", (func())(nil), `guest: Export("x"): the function is nil`},
		{"x", func(chan int) {}, `guest: Export("x"): argument 1 is of type chan int, which JSON cannot fill`},
		{"x", func(context.Context, []func()) {}, `guest: Export("x"): argument 2 is of type []func(), which JSON cannot fill`},
		{"x", func(fmt.Stringer) {}, `guest: Export("x"): argument 1 is of type fmt.Stringer, which JSON cannot fill`},
		{"x", func(int, ...complex64) {}, `guest: Export("x"): argument 2 is of type complex64, which JSON cannot fill`},
		{"x", func(string, context.Context) {}, `guest: Export("x"): argument 2 is a context.Context, which has to come first`},
		{"x", func() func() { return nil }, `guest: Export("x"): result 1 is of type func(), which JSON cannot express`},
		{"x", func() (error, int) { return nil, 0 }, `guest: Export("x"): result 1 is an error, which has to come last`}, //nolint:staticcheck // that is what is refused
		{"value", func() {}, `guest: Export("value"): the name is exported already`},
		{"_x", func() {}, `guest: Export("_x"): a name is 1 to 255 bytes of UTF-8 and begins neither with "_" nor with "wasmpool_"`},
	} {
		func() {
			defer func() {
				if got := recover(); got != tt.want {
					t.Errorf("Export(%q, %T) panicked with %v, want %s", tt.name, tt.fn, got, tt.want)
				}
			}()
			guest.Export(tt.name, tt.fn)
		}()
	}
}

func FuzzArguments(f *testing.F) {
	for _, seed := range []string{`[]`, `[{"X":1},{}]`, `["-","a"]`, `{`, ``, `[1e999]`, `[null,null]`, "[\"\xff\"]", `[[[[]]]]`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, arguments string) {
		for _, function := range []string{"point", "join", "small", "duration", "raw message"} {
			result, err := new(guesttest.Host).CallRaw(t, function, []byte(arguments))
			if e, failed := errors.AsType[*guest.Error](err); failed {
				if e.Name != "ArgumentError" && e.Name != "ResultError" {
					t.Fatalf("%s(%q): %v\n%s", function, arguments, err, e.Stack)
				}
			} else if !json.Valid(result) {
				t.Fatalf("%s(%q) = %q, which is not JSON", function, arguments, result)
			}
		}
	})
}
