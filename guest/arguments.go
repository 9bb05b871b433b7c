package guest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
)

// keepBytes bounds what a scratch keeps from one call to the next, so that one
// large call does not hold its memory for ever. A guess.
const keepBytes = 1 << 20

// scratch is memory that calls use one after the other.
type scratch struct {
	input    []byte
	parts    []json.RawMessage // of the input
	elements []json.RawMessage // copies
	values   []reflect.Value
	output   bytes.Buffer
}

// rest forgets what belonged to a call.
func (s *scratch) rest() {
	clear(s.values)
	clear(s.parts)
	if cap(s.input) > keepBytes || s.output.Cap() > keepBytes {
		*s = scratch{}
	}
}

// encode returns the JSON of v, valid until the next call.
func (s *scratch) encode(v any) ([]byte, error) {
	s.output.Reset()
	if b, ok := appendScalar(s.output.AvailableBuffer(), v); ok {
		s.output.Write(b)
		return s.output.Bytes(), nil
	}
	e := json.NewEncoder(&s.output)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, &Error{Name: "ResultError", Message: "the result cannot be expressed in JSON: " + err.Error()}
	}
	return bytes.TrimSuffix(s.output.Bytes(), []byte("\n")), nil
}

// decode turns a JSON array into the values to call s with.
func (s *signature) decode(ctx context.Context, arguments []byte, scratch *scratch) ([]reflect.Value, error) {
	elements, simple := split(arguments, scratch.parts[:0])
	scratch.parts = elements
	if !simple && len(arguments) > 0 {
		if err := json.Unmarshal(arguments, &scratch.elements); err != nil {
			return nil, &Error{Name: "ArgumentError", Message: "the arguments are not a JSON array: " + err.Error()}
		}
		elements = scratch.elements
	}
	if n, want := len(elements), len(s.params); n < want || n > want && s.rest == nil {
		return nil, &Error{Name: "ArgumentError", Message: fmt.Sprintf("got %s, wants %s", counted(n), s.wanted())}
	}
	values := scratch.values[:0]
	if s.contextual {
		values = append(values, reflect.ValueOf(ctx))
	}
	for i, element := range elements {
		t := s.rest
		if i < len(s.params) {
			t = s.params[i]
		}
		if simple {
			if v, ok := scalar(element, t); ok {
				values = append(values, v)
				continue
			}
		}
		v := reflect.New(t)
		if err := json.Unmarshal(element, v.Interface()); err != nil {
			return nil, argumentError(i+1, t, err)
		}
		values = append(values, v.Elem())
	}
	scratch.values = values
	return values, nil
}

// wanted says how many arguments there should be.
func (s *signature) wanted() string {
	if s.rest != nil {
		return "at least " + counted(len(s.params))
	}
	return counted(len(s.params))
}

func counted(n int) string {
	if n == 1 {
		return "1 argument"
	}
	return fmt.Sprintf("%d arguments", n)
}

// argumentError says which argument is wrong, what it is, and what it should be.
func argumentError(number int, want reflect.Type, err error) *Error {
	text := fmt.Sprintf("argument %d: %v, wants %v", number, err, want)
	if mismatch, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		where := ""
		if mismatch.Field != "" {
			where = fmt.Sprintf(", member %q", mismatch.Field)
		}
		text = fmt.Sprintf("argument %d%s: got %s, wants %v", number, where, mismatch.Value, mismatch.Type)
	}
	return &Error{Name: "ArgumentError", Message: text, Data: map[string]int{"argument": number}}
}
