package guest

import (
	"encoding/json"
	"reflect"
	"strconv"
	"unicode/utf8"
)

// Most arguments and results are plain strings and numbers, and encoding/json
// takes its time inside WebAssembly: "greet" took 17 µs with it alone. What
// these functions do not know they leave to it; what they know they treat as it
// does, which a fuzz test holds them to.

var (
	stringType  = reflect.TypeFor[string]()
	intType     = reflect.TypeFor[int]()
	float64Type = reflect.TypeFor[float64]()
)

// split appends the elements of a JSON array to elements, as parts of b, if all
// of them are numbers or strings without escapes, and there is no white space.
func split(b []byte, elements []json.RawMessage) ([]json.RawMessage, bool) {
	if len(b) < 2 || b[0] != '[' || b[len(b)-1] != ']' {
		return elements, false
	}
	rest := b[1 : len(b)-1]
	if len(rest) == 0 {
		return elements, true
	}
	for {
		n := plainString(rest)
		if n == 0 {
			n = number(rest)
		}
		if n == 0 {
			return elements, false
		}
		elements = append(elements, json.RawMessage(rest[:n:n]))
		if rest = rest[n:]; len(rest) == 0 {
			return elements, true
		}
		if rest[0] != ',' {
			return elements, false
		}
		rest = rest[1:]
	}
}

// plainString returns the length of the JSON string without escapes, and in
// UTF-8, that b begins with, or 0.
func plainString(b []byte) int {
	if len(b) < 2 || b[0] != '"' {
		return 0
	}
	ascii := true
	for i := 1; i < len(b); i++ {
		switch c := b[i]; {
		case c == '"':
			if ascii || utf8.Valid(b[1:i]) {
				return i + 1
			}
			return 0
		case c == '\\' || c < ' ':
			return 0
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return 0
}

// number returns the length of the JSON number without an exponent that b begins
// with, or 0.
func number(b []byte) int {
	i := 0
	if i < len(b) && b[i] == '-' {
		i++
	}
	whole := digits(b[i:])
	if whole == 0 || whole > 1 && b[i] == '0' {
		return 0
	}
	i += whole
	if i < len(b) && b[i] == '.' {
		fraction := digits(b[i+1:])
		if fraction == 0 {
			return 0
		}
		i += 1 + fraction
	}
	return i
}

func digits(b []byte) int {
	n := 0
	for n < len(b) && '0' <= b[n] && b[n] <= '9' {
		n++
	}
	return n
}

// scalar decodes an element that split has found, if t is one of the types that
// are most common. It reports false where the two do not fit.
func scalar(element json.RawMessage, t reflect.Type) (reflect.Value, bool) {
	switch t {
	case stringType:
		if element[0] == '"' {
			return reflect.ValueOf(string(element[1 : len(element)-1])), true
		}
	case intType:
		if n, err := strconv.Atoi(string(element)); err == nil {
			return reflect.ValueOf(n), true
		}
	case float64Type:
		if n, err := strconv.ParseFloat(string(element), 64); err == nil {
			return reflect.ValueOf(n), true
		}
	}
	return reflect.Value{}, false
}

// appendScalar appends the JSON of v if that is simple.
func appendScalar(b []byte, v any) ([]byte, bool) {
	switch v := v.(type) {
	case string:
		for i := range len(v) {
			if c := v[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
				return b, false
			}
		}
		b = append(b, '"')
		b = append(b, v...)
		return append(b, '"'), true
	case int:
		return strconv.AppendInt(b, int64(v), 10), true
	case bool:
		return strconv.AppendBool(b, v), true
	}
	return b, false
}
