package abi_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/wasmpool/wasmpool/abi"
)

func TestCallableNamesAreThoseOfNeitherTheABINorTheToolchain(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		want bool
	}{
		{"greet", true},
		{"a", true},
		{"wasmpool", true},
		{"wasmpoolx", true},
		{"greet_", true},
		{"grüße", true},
		{"with space", true},
		{"module.function", true},
		{strings.Repeat("x", abi.MaxNameBytes), true},
		{strings.Repeat("ü", abi.MaxNameBytes/2), true},
		{"", false},
		{"_", false},
		{"_start", false},
		{abi.ExportInitialize, false},
		{abi.ExportCall, false},
		{"wasmpool_", false},
		{"wasmpool_anything", false},
		{strings.Repeat("x", abi.MaxNameBytes+1), false},
		{strings.Repeat("ü", abi.MaxNameBytes/2+1), false},
		{"a\xff", false},
	} {
		if got := abi.Callable(tt.name); got != tt.want {
			t.Errorf("Callable(%q) = %t, want %t", tt.name, got, tt.want)
		}
	}
}

func FuzzCallable(f *testing.F) {
	for _, seed := range []string{"greet", "_start", "wasmpool_call", "", "\xff", "grüße"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if !abi.Callable(name) {
			return
		}
		if len(name) == 0 || len(name) > abi.MaxNameBytes || !utf8.ValidString(name) {
			t.Fatalf("%q is callable", name)
		}
		if abi.Callable("_"+name) || abi.Callable("wasmpool_"+name) {
			t.Fatalf("%q is callable with a reserved prefix", name)
		}
	})
}

// The numbers cross process borders: this test is to fail when one changes.
func TestCodesKeepTheirNumbersAndNames(t *testing.T) {
	t.Parallel()
	for number, want := range []struct {
		code abi.Code
		text string
	}{
		{abi.Returned, "returned"},
		{abi.Failed, "failed"},
		{abi.NotFound, "not found"},
		{abi.Trapped, "trapped"},
		{abi.Exited, "exited"},
		{abi.OverLimit, "over limit"},
		{abi.Withdrawn, "withdrawn"},
		{abi.Broken, "broken"},
	} {
		if int(want.code) != number || want.code.String() != want.text || !want.code.Valid() {
			t.Errorf("code %d is %d %q, valid %t; want %q", number, want.code, want.code, want.code.Valid(), want.text)
		}
	}
	for _, unknown := range []abi.Code{abi.Broken + 1, 255} {
		if unknown.Valid() {
			t.Errorf("%v is valid", unknown)
		}
	}
	if got, want := abi.Code(200).String(), "code 200"; got != want {
		t.Errorf("Code(200).String() = %q, want %q", got, want)
	}
}
