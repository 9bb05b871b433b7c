package isolate

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"
)

// noContext is the context outside of a call.
var noContext = []byte("{}")

// Context implements [engine.Host]: the object is composed when the guest asks
// for it, and stays the same for the call, so that a guest that asks for its
// length first gets what it was promised.
func (s *slot) Context() []byte {
	if s.phase != running {
		return noContext
	}
	if len(s.context) == 0 {
		s.context = s.call.appendContext(s.context, time.Since(s.arrived))
	}
	return s.context
}

// appendContext appends the JSON object about a call that came a while ago. The
// call's own members win over those that the caller attached.
func (c *Call) appendContext(b []byte, ago time.Duration) []byte {
	b = append(b, `{"id":`...)
	b = strconv.AppendUint(b, c.ID, 10)
	b = append(b, `,"attempt":`...)
	b = strconv.AppendInt(b, int64(c.Attempt), 10)
	if c.DeadlineMS >= 0 {
		b = append(b, `,"deadline_ms":`...)
		b = strconv.AppendInt(b, max(0, c.DeadlineMS-ago.Milliseconds()), 10)
	}
	var attached map[string]json.RawMessage
	if len(c.Meta) > 0 && json.Unmarshal(c.Meta, &attached) != nil {
		attached = nil // the parent has let through what is no object: better no members than no context
	}
	for _, own := range []string{"id", "attempt", "deadline_ms"} {
		delete(attached, own)
	}
	for _, name := range slices.Sorted(maps.Keys(attached)) {
		b = append(b, ',')
		b = append(b, encode(name)...)
		b = append(b, ':')
		b = append(b, attached[name]...)
	}
	return append(b, '}')
}
