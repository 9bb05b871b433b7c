package guest

import (
	"context"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
)

var (
	contextType         = reflect.TypeFor[context.Context]()
	errorType           = reflect.TypeFor[error]()
	marshalerType       = reflect.TypeFor[json.Marshaler]()
	unmarshalerType     = reflect.TypeFor[json.Unmarshaler]()
	textMarshalerType   = reflect.TypeFor[encoding.TextMarshaler]()
	textUnmarshalerType = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// signature is a function with what has been found out about its type.
type signature struct {
	fn         reflect.Value
	contextual bool           // the first argument is a context
	params     []reflect.Type // without the context and the variadic one
	rest       reflect.Type   // of each variadic argument; nil: not variadic
	results    int            // without the error
	fallible   bool           // the last result is an error
}

func newSignature(fn any) (*signature, error) {
	s := &signature{fn: reflect.ValueOf(fn)}
	if s.fn.Kind() != reflect.Func {
		return nil, fmt.Errorf("a %T is not a function", fn)
	}
	if s.fn.IsNil() {
		return nil, errors.New("the function is nil")
	}
	t := s.fn.Type()
	for i := range t.NumIn() {
		in := t.In(i)
		switch {
		case in == contextType && i == 0:
			s.contextual = true
			continue
		case in == contextType:
			return nil, fmt.Errorf("argument %d is a context.Context, which has to come first", i+1)
		case t.IsVariadic() && i == t.NumIn()-1:
			in = in.Elem()
			s.rest = in
		default:
			s.params = append(s.params, in)
		}
		if !decodable(in) {
			return nil, fmt.Errorf("argument %d is of type %v, which JSON cannot fill", i+1, in)
		}
	}
	s.results = t.NumOut()
	for i := range t.NumOut() {
		out := t.Out(i)
		switch {
		case out == errorType && i == t.NumOut()-1:
			s.fallible = true
			s.results--
		case out == errorType:
			return nil, fmt.Errorf("result %d is an error, which has to come last", i+1)
		case !encodable(out):
			return nil, fmt.Errorf("result %d is of type %v, which JSON cannot express", i+1, out)
		}
	}
	return s, nil
}

// run decodes, calls and encodes.
func (s *signature) run(ctx context.Context, arguments []byte, scratch *scratch) ([]byte, error) {
	in, err := s.decode(ctx, arguments, scratch)
	if err != nil {
		return nil, err
	}
	out := s.fn.Call(in)
	if s.fallible {
		if err, failed := out[s.results].Interface().(error); failed {
			return nil, err
		}
	}
	switch s.results {
	case 0:
		return nil, nil
	case 1:
		return scratch.encode(out[0].Interface())
	}
	all := make([]any, s.results)
	for i := range all {
		all[i] = out[i].Interface()
	}
	return scratch.encode(all)
}

// decodable reports whether encoding/json can fill a value of type t. It does
// not look into structs, whose fields json picks by their tags.
func decodable(t reflect.Type) bool {
	if p := reflect.PointerTo(t); p.Implements(unmarshalerType) || p.Implements(textUnmarshalerType) {
		return true
	}
	if t.Kind() == reflect.Interface {
		return t.NumMethod() == 0
	}
	return carried(t, decodable)
}

// encodable reports whether encoding/json can express a value of type t.
func encodable(t reflect.Type) bool {
	if t.Implements(marshalerType) || t.Implements(textMarshalerType) || t.Kind() == reflect.Interface {
		return true
	}
	return carried(t, encodable)
}

func carried(t reflect.Type, element func(reflect.Type) bool) bool {
	switch t.Kind() {
	case reflect.Chan, reflect.Func, reflect.Complex64, reflect.Complex128, reflect.UnsafePointer, reflect.Invalid:
		return false
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		// A type can only contain itself by way of a name; those are left to json.
		return t.Name() != "" || element(t.Elem())
	default:
		return true
	}
}
