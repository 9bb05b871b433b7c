package guest

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"
	"unicode"
	"unicode/utf8"

	"github.com/wasmpool/wasmpool/abi"
)

// Error is an error as it crosses the border, in both directions. A function
// that returns one, wrapped or not, gives the caller all of its fields. Of any
// other error the caller gets the text, and as Name the name of its type if
// that is exported, else "Error".
type Error struct {
	Name    string
	Message string

	// Data is anything that JSON can carry; of what it cannot, the caller gets
	// the text. In an error that came from the host it is a json.RawMessage.
	Data any

	// Stack is free text. A panic brings the stack of its goroutine.
	Stack string

	// Extra is what else an error of the host held.
	Extra map[string]json.RawMessage
}

// Error returns "name: message", or the message alone when there is no name.
func (e *Error) Error() string {
	return (&abi.Error{Name: e.Name, Message: e.Message}).Error()
}

// NotGrantedError says that the host grants no function of this name.
type NotGrantedError struct{ Name string }

func (e *NotGrantedError) Error() string {
	return fmt.Sprintf("guest: no host function %q is granted", e.Name)
}

// payload returns what is given to the import "fail" for err.
func payload(err error) []byte {
	out := abi.Error{Name: typeName(err), Message: err.Error()}
	if e, ok := errors.AsType[*Error](err); ok && e != nil {
		out = abi.Error{Name: e.Name, Message: e.Message, Stack: e.Stack, Data: carriedData(e.Data), Extra: e.Extra}
	}
	b, err := json.Marshal(&out)
	if err != nil { // Extra that is no JSON: only a hand-made one
		out.Extra = nil
		b, _ = json.Marshal(&out)
	}
	return b
}

func carriedData(data any) json.RawMessage {
	if data == nil {
		return nil
	}
	b, err := json.Marshal(data)
	if err != nil {
		b, _ = json.Marshal(fmt.Sprint(data))
	}
	return b
}

// typeName is the name of err's type if a reader could know it.
func typeName(err error) string {
	t := reflect.TypeOf(err)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if first, _ := utf8.DecodeRuneInString(t.Name()); !unicode.IsUpper(first) {
		return "Error"
	}
	return t.Name()
}

// panicked is the error of a recovered panic. Call it in the deferred function,
// where the stack still is that of the panic.
func panicked(value any) *Error {
	e := &Error{Name: "Panic", Message: fmt.Sprint(value), Stack: string(debug.Stack())}
	if _, isError := value.(error); !isError {
		if _, err := json.Marshal(value); err == nil {
			e.Data = value
		}
	} else if inner, ok := errors.AsType[*Error](value.(error)); ok {
		e.Data = inner.Data
	}
	return e
}

// hostError is the error that a host function failed with.
func hostError(reply []byte) *Error {
	in := abi.ParseError(reply)
	e := &Error{Name: in.Name, Message: in.Message, Stack: in.Stack, Extra: in.Extra}
	if in.Data != nil {
		e.Data = in.Data
	}
	return e
}
