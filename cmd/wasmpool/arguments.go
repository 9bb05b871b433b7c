package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// input makes of the arguments what the function gets.
func (c *calling) input(stdin io.Reader, args []string) ([]byte, error) {
	if !c.raw {
		return c.array(stdin, args)
	}
	if len(args) > 0 {
		return nil, usagef("--raw takes the arguments from standard input, but %q is one, too", args[0])
	}
	b, err := io.ReadAll(stdin)
	if err != nil {
		return nil, fmt.Errorf("standard input: %w", err)
	}
	return b, nil
}

// array is the JSON array of the arguments.
func (c *calling) array(stdin io.Reader, args []string) ([]byte, error) {
	values := make([]json.RawMessage, 0, len(args))
	read := false
	for i, arg := range args {
		value := []byte(arg)
		if arg == "-" && !c.strings {
			if read {
				return nil, usagef("only one argument can be -, which is standard input")
			}
			read = true
			var err error
			if value, err = io.ReadAll(stdin); err != nil {
				return nil, fmt.Errorf("standard input: %w", err)
			}
		}
		value, err := c.value(i, arg, value)
		if err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	return encode(values)
}

// value is one argument as JSON.
func (c *calling) value(i int, arg string, value []byte) (json.RawMessage, error) {
	switch {
	case c.strings:
		return encode(arg)
	case json.Valid(value):
		return value, nil
	case arg == "-":
		return nil, usagef("argument %d, which is standard input, is not JSON", i+1)
	case len(arg) > 1 && arg[0] == '-':
		return nil, usagef("argument %d is not JSON: %q; flags stand before the function", i+1, arg)
	}
	return nil, usagef("argument %d is not JSON: %q; quote text as '\"%s\"', or take each argument as a string with -s", i+1, arg, example(arg))
}

// example is the argument itself where it can be quoted by two marks.
func example(arg string) string {
	if b, err := json.Marshal(arg); err == nil && string(b) == `"`+arg+`"` && !bytes.ContainsRune(b, '\'') && len(arg) < 40 {
		return arg
	}
	return "text"
}

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
