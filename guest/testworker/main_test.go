package main

import (
	"errors"
	"log/slog"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmpool/wasmpool/guest"
	"github.com/wasmpool/wasmpool/guest/guesttest"
)

// A worker's functions can be tested without WebAssembly, like any Go code.
func TestFunctionsRunNatively(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		function  string
		arguments []any
		want      string
	}{
		{"greet", []any{"world"}, `"Hello, world"`},
		{"add", []any{1, 2.5}, `3.5`},
		{"echo", []any{"a", map[string]any{"b": nil}}, `["a",{"b":null}]`},
		{"recurse", []any{100}, `100`},
		{"sleep", []any{0}, `null`},
	} {
		got, err := guesttest.Call(t, tt.function, tt.arguments...)
		if err != nil || string(got) != tt.want {
			t.Errorf("%s(%v) = %s, %v, want %s", tt.function, tt.arguments, got, err, tt.want)
		}
	}
}

func TestFailuresArriveWhole(t *testing.T) {
	t.Parallel()
	_, err := guesttest.Call(t, "fail", "RangeError", "too large", map[string]int{"max": 3})
	got, ok := errors.AsType[*guest.Error](err)
	if !ok || got.Name != "RangeError" || got.Message != "too large" {
		t.Errorf("got %v, want RangeError: too large", err)
	}
}

func TestStoppingIsLogged(t *testing.T) {
	t.Parallel()
	var host guesttest.Host
	if _, err := host.Call(t, "log", -4, "before"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]guesttest.Record{{Level: slog.LevelDebug, Text: "before"}}, host.Logs()); diff != "" {
		t.Errorf("logs (-want +got):\n%s", diff)
	}
}
