package isolate

import (
	"encoding/json"
	"fmt"
	"strings"
)

// maxMessage bounds what a guest's own words add to a message, in bytes. A
// guess.
const maxMessage = 500

// withLastWords adds to a message what the guest wrote on standard error before
// it ended: a trap itself says "unreachable" and little more.
func (s *slot) withLastWords(message string) string {
	if words := telling(string(s.stderr.tail.bytes())); words != "" {
		return message + ": " + clipTo(words, maxMessage)
	}
	return message
}

// telling picks the line that says what went wrong: where Go or Rust announce
// it, else the last that is not empty.
func telling(text string) string {
	last, announced := "", false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case line == "":
		case announced:
			return last + " " + line
		case strings.HasPrefix(line, "panic: "), strings.HasPrefix(line, "fatal error: "):
			return line
		case strings.Contains(line, "panicked at "): // Rust says where, and on the next line what
			last, announced = line, true
		default:
			last = line
		}
	}
	return last
}

// lastWords are the data of an error: the last of the guest's standard error,
// and its exit code.
func (s *slot) lastWords(code *uint32) json.RawMessage {
	data := struct {
		Code   *uint32 `json:"code,omitempty"`
		Stderr string  `json:"stderr,omitempty"`
	}{code, string(s.stderr.tail.bytes())}
	if data.Code == nil && data.Stderr == "" {
		return nil
	}
	return encode(data)
}

func clipTo(s string, bound int) string {
	if len(s) <= bound {
		return s
	}
	return strings.ToValidUTF8(s[:bound], "") + "…"
}

// encode is for payloads of our own, which always can be encoded.
func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("bug: isolate: encode %T: %v", v, err))
	}
	return b
}
