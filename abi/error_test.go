package abi_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmpool/wasmpool/abi"
)

// raw makes the members of an object that are kept as they came.
func raw(members ...string) map[string]json.RawMessage {
	m := map[string]json.RawMessage{}
	for i := 0; i < len(members); i += 2 {
		m[members[i]] = json.RawMessage(members[i+1])
	}
	return m
}

func TestParseErrorReadsObjectsAndTakesTheRestAsText(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		input string
		want  abi.Error
	}{
		{"message only", `{"message":"m"}`, abi.Error{Message: "m"}},
		{
			"every member", `{"name":"N","message":"m","stack":"s","data":{"a":[1,null]}}`,
			abi.Error{Name: "N", Message: "m", Stack: "s", Data: json.RawMessage(`{"a":[1,null]}`)},
		},
		{"empty message", `{"message":""}`, abi.Error{}},
		{
			"unknown members", `{"message":"m","code":7,"cause":{"message":"c"}}`,
			abi.Error{Message: "m", Extra: raw("code", "7", "cause", `{"message":"c"}`)},
		},
		{"name that is no string", `{"message":"m","name":7}`, abi.Error{Message: "m", Extra: raw("name", "7")}},
		{"stack that is no string", `{"message":"m","stack":["a","b"]}`, abi.Error{Message: "m", Extra: raw("stack", `["a","b"]`)}},
		{"data that is a string", `{"message":"m","data":"d"}`, abi.Error{Message: "m", Data: json.RawMessage(`"d"`)}},
		{"data that is null", `{"message":"m","data":null}`, abi.Error{Message: "m", Data: json.RawMessage(`null`)}},
		{"null name and stack", `{"message":"m","name":null,"stack":null}`, abi.Error{Message: "m", Extra: raw("name", "null", "stack", "null")}},
		{"white space around", " {\"message\":\"m\"}\n", abi.Error{Message: "m"}},
		{"plain text", "out of cheese", abi.Error{Message: "out of cheese"}},
		{"nothing", "", abi.Error{}},
		{"no message", `{"name":"N"}`, abi.Error{Message: `{"name":"N"}`}},
		{"null message", `{"message":null}`, abi.Error{Message: `{"message":null}`}},
		{"message that is no string", `{"message":7}`, abi.Error{Message: `{"message":7}`}},
		{"null", `null`, abi.Error{Message: `null`}},
		{"an array", `["m"]`, abi.Error{Message: `["m"]`}},
		{"a string", `"m"`, abi.Error{Message: `"m"`}},
		{"half an object", `{"message":"m"`, abi.Error{Message: `{"message":"m"`}},
		{"two objects", `{"message":"m"}{}`, abi.Error{Message: `{"message":"m"}{}`}},
		{"text that is not UTF-8", "a\xff\xfeb", abi.Error{Message: "a\uFFFDb"}},
		{"message that is not UTF-8", "{\"message\":\"a\xffb\"}", abi.Error{Message: "a\uFFFDb"}},
		{"data that are not UTF-8", "{\"message\":\"m\",\"data\":\"\xff\"}", abi.Error{Message: "m", Data: json.RawMessage("\"\uFFFD\"")}},
		{"a member that is not UTF-8", "{\"message\":\"m\",\"\xff\":[\"\xff\"]}", abi.Error{Message: "m", Extra: raw("\uFFFD", "[\"\uFFFD\"]")}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := abi.ParseError([]byte(tt.input))
			if diff := cmp.Diff(&tt.want, got); diff != "" {
				t.Errorf("ParseError(%q) (-want +got):\n%s", tt.input, diff)
			}
		})
	}
}

func TestParseErrorKeepsNoReferenceToItsInput(t *testing.T) {
	t.Parallel()
	for _, input := range []string{`{"message":"m","data":{"a":1},"extra":[2]}`, "plain text"} {
		b := []byte(input)
		got := abi.ParseError(b)
		for i := range b {
			b[i] = 'X'
		}
		if diff := cmp.Diff(abi.ParseError([]byte(input)), got); diff != "" {
			t.Errorf("after the input %q was overwritten (-want +got):\n%s", input, diff)
		}
	}
}

func TestErrorMarshalsWhatParseErrorReads(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		err  abi.Error
		want string
	}{
		{"message only", abi.Error{Message: "m"}, `{"message":"m"}`},
		{"empty", abi.Error{}, `{"message":""}`},
		{
			"all",
			abi.Error{Name: "N", Message: "m", Stack: "s", Data: json.RawMessage(`[1]`), Extra: raw("code", "7")},
			`{"code":7,"data":[1],"message":"m","name":"N","stack":"s"}`,
		},
		{
			"extra that fields override",
			abi.Error{Name: "N", Message: "m", Extra: raw("name", "7", "message", "8")},
			`{"message":"m","name":"N"}`,
		},
		{"extra name without a name", abi.Error{Message: "m", Extra: raw("name", "7")}, `{"message":"m","name":7}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := json.Marshal(&tt.err)
			if err != nil || string(got) != tt.want {
				t.Errorf("Marshal(%+v) = %s, %v, want %s", tt.err, got, err, tt.want)
			}
		})
	}
}

func TestErrorTextHasTheNameFirst(t *testing.T) {
	t.Parallel()
	var err error = &abi.Error{Name: "RangeError", Message: "7 is too large"}
	if got, want := err.Error(), "RangeError: 7 is too large"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
	err = &abi.Error{Message: "7 is too large"}
	if got, want := err.Error(), "7 is too large"; got != want {
		t.Errorf("Error() without a name = %q, want %q", got, want)
	}
	if target := new(abi.Error); !errors.As(err, &target) {
		t.Error("errors.As does not find *abi.Error")
	}
}

// FuzzParseError: any bytes give an error whose text is UTF-8, and which
// survives the way across a border unchanged.
func FuzzParseError(f *testing.F) {
	for _, seed := range []string{
		`{"name":"N","message":"m","stack":"s","data":{"a":[1]},"code":7}`,
		`{"message":"m","name":7,"stack":{}}`, `{"message":"m","data":null}`, `{"message":null}`,
		`{"message":"m","message":2}`, `{"MESSAGE":"m"}`, `{"message":"\ud800"}`, "{\"message\":\"\xff\"}",
		"{\"message\":\"m\",\"\xff\":\"\xfe\"}", "plain", "\xff", "", "null", " {\"message\":\"m\" } ",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		first := abi.ParseError(b)
		if !utf8.ValidString(first.Message) || !utf8.ValidString(first.Name) || !utf8.ValidString(first.Stack) {
			t.Fatalf("ParseError(%q) holds text that is not UTF-8: %+v", b, first)
		}
		once, err := json.Marshal(first)
		if err != nil {
			t.Fatalf("Marshal of ParseError(%q): %v", b, err)
		}
		twice, err := json.Marshal(abi.ParseError(once))
		if err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("round trip of %q: %s, then %s (%v)", b, once, twice, err)
		}
	})
}
