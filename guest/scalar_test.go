package guest

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
)

// FuzzScalars: the short way gives what encoding/json gives.
func FuzzScalars(f *testing.F) {
	for _, seed := range []string{
		`[]`, `["a"]`, `["a",1,-2.50]`, `[0]`, `[00]`, `[-]`, `[1.]`, `[1e5]`, `["\n"]`, `["ü"]`, "[\"\xff\"]", "[\"\n\"]",
		`[9223372036854775808]`, `["a",]`, `[,]`, `["a""b"]`, `["]`, `["a","]`, `[1 ]`, `[nan]`, `[0x1]`, `[1_0]`, `["<"]`, "[\"\u2028\x7f\"]",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		elements, ok := split(b, nil)
		if !ok {
			return
		}
		var want []json.RawMessage
		if err := json.Unmarshal(b, &want); err != nil {
			t.Fatalf("split(%q) = %q, but json says %v", b, elements, err)
		}
		if len(elements) != len(want) {
			t.Fatalf("split(%q) = %q, want %q", b, elements, want)
		}
		for i, element := range elements {
			if !bytes.Equal(element, want[i]) {
				t.Fatalf("split(%q) = %q, want %q", b, elements, want)
			}
			for _, typ := range []reflect.Type{stringType, intType, float64Type, reflect.TypeFor[bool]()} {
				got, ok := scalar(element, typ)
				if !ok {
					continue
				}
				slow := reflect.New(typ)
				if err := json.Unmarshal(element, slow.Interface()); err != nil || !got.Equal(slow.Elem()) {
					t.Fatalf("scalar(%q, %v) = %v, want %v, %v", element, typ, got, slow.Elem(), err)
				}
				roundTrip(t, got.Interface())
			}
		}
	})
}

// roundTrip compares the two ways to encode a value.
func roundTrip(t *testing.T, v any) {
	t.Helper()
	fast, ok := appendScalar(nil, v)
	if !ok {
		return
	}
	var slow bytes.Buffer
	e := json.NewEncoder(&slow)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil || string(fast)+"\n" != slow.String() {
		t.Fatalf("appendScalar(%#v) = %q, want %q, %v", v, fast, slow.String(), err)
	}
}
