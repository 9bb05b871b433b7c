package abi

import (
	"bytes"
	"encoding/json"
	"errors"
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
	// Before it is read: the decoder would leave Data and Extra as they came, and
	// who passes those on would write JSON that is none.
	b = bytes.ToValidUTF8(b, []byte(string(utf8.RuneError)))
	e := new(Error)
	if err := json.Unmarshal(b, e); err != nil {
		return &Error{Message: string(b)}
	}
	return e
}

// UnmarshalJSON reads an object with a string member "message".
func (e *Error) UnmarshalJSON(b []byte) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(b, &members); err != nil {
		return err
	}
	message, ok := text(members["message"])
	if !ok {
		return errors.New("abi: an error needs a message that is a string")
	}
	*e = Error{Message: message, Data: members["data"]}
	for key, field := range map[string]*string{"name": &e.Name, "stack": &e.Stack} {
		// A member of another type is not lost: it stays in Extra.
		if value, ok := text(members[key]); ok {
			*field = value
			delete(members, key)
		}
	}
	delete(members, "message")
	delete(members, "data")
	if len(members) > 0 {
		e.Extra = members
	}
	return nil
}

// text reads a JSON string and nothing else: null is none.
func text(member json.RawMessage) (value string, ok bool) {
	if len(member) == 0 || member[0] != '"' {
		return "", false
	}
	err := json.Unmarshal(member, &value)
	return value, err == nil
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
