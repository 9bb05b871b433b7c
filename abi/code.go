package abi

import "strconv"

// Code says how a call ended. Codes cross process borders: the list is
// append-only and no number is ever used again.
type Code uint8

// How a call can end.
const (
	Returned  Code = 0 // the payload is the result
	Failed    Code = 1 // the guest said so; the payload is what it gave to fail
	NotFound  Code = 2 // the module has no such function
	Trapped   Code = 3 // the guest trapped; the payload is an [Error]
	Exited    Code = 4 // the guest called proc_exit; the payload is an [Error]
	OverLimit Code = 5 // a limit was exceeded; the payload is a [Limit]
	Withdrawn Code = 6 // taken back before it started; it surely did not run
	Broken    Code = 7 // the host's own fault; the payload is an [Error]
)

var codeNames = [...]string{"returned", "failed", "not found", "trapped", "exited", "over limit", "withdrawn", "broken"}

// Valid reports whether c is a code of this version.
func (c Code) Valid() bool { return int(c) < len(codeNames) }

func (c Code) String() string {
	if !c.Valid() {
		return "code " + strconv.Itoa(int(c))
	}
	return codeNames[c]
}

// Limit says which limit a call or a module exceeded. It is the payload of
// [OverLimit].
type Limit struct {
	Name  string `json:"name"`  // in words: "output", "memory" …
	Value int64  `json:"value"` // the limit, in Unit
	Unit  string `json:"unit"`  // "bytes", "calls", "ms" …
}
