package abi

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// Error is an error as a guest reports it: a JSON object of which only message
// is required. Members that this version does not know are kept in Extra.
type Error struct {
	Name    string
	Message string
	Stack   string
	Data    json.RawMessage
	Extra   map[string]json.RawMessage
}

// Error returns "name: message", or the message alone when there is no name.
func (e *Error) Error() string {
	if e.Name == "" {
		return e.Message
	}
	return e.Name + ": " + e.Message
}

// ParseError reads what a guest gave to fail: a JSON object with a message, or
// else plain text, which becomes the message. It accepts any bytes: those that
// are not UTF-8 are replaced. It keeps no reference to b.
func ParseError(b []byte) *Error {
	e := new(Error)
	if err := json.Unmarshal(b, e); err != nil {
		return &Error{Message: strings.ToValidUTF8(string(b), string(utf8.RuneError))}
	}
	return e
}

// UnmarshalJSON reads an object with a string member "message".
func (e *Error) UnmarshalJSON(b []byte) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(b, &members); err != nil {
		return err
	}
	if err := json.Unmarshal(members["message"], &e.Message); err != nil {
		return err
	}
	for key, text := range map[string]*string{"name": &e.Name, "stack": &e.Stack} {
		// A member of another type is not lost: it stays in Extra.
		if json.Unmarshal(members[key], text) == nil {
			delete(members, key)
		}
	}
	e.Data = members["data"]
	delete(members, "message")
	delete(members, "data")
	if len(members) > 0 {
		e.Extra = members
	}
	return nil
}

// MarshalJSON writes the object that [ParseError] reads.
func (e *Error) MarshalJSON() ([]byte, error) {
	members := make(map[string]any, len(e.Extra)+4)
	for k, v := range e.Extra {
		members[k] = v
	}
	members["message"] = e.Message
	if e.Name != "" {
		members["name"] = e.Name
	}
	if e.Stack != "" {
		members["stack"] = e.Stack
	}
	if len(e.Data) > 0 {
		members["data"] = e.Data
	}
	return json.Marshal(members)
}
