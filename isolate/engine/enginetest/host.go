package enginetest

import (
	"sync"

	"github.com/wasmpool/wasmpool/isolate/engine"
)

// script is an [engine.Host] that answers what it is told to, and keeps a copy
// of what it gets. It belongs to one instance.
type script struct {
	input, context, reply []byte
	function              string
	cancelled             bool
	status                int32 // what Call returns
	err                   error // what Output, Fail and Call return

	mu      sync.Mutex
	outputs [][]byte
	fails   [][]byte
	logs    []logged
	calls   []called
}

type logged struct {
	level int32
	text  string
}

type called struct{ name, payload string }

var _ engine.Host = (*script)(nil)

func (s *script) Input() []byte    { return s.input }
func (s *script) Function() string { return s.function }
func (s *script) Context() []byte  { return s.context }
func (s *script) Reply() []byte    { return s.reply }
func (s *script) Cancelled() bool  { return s.cancelled }

func (s *script) Output(payload []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.outputs = append(s.outputs, append([]byte(nil), payload...))
	return s.err
}

func (s *script) Fail(payload []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fails = append(s.fails, append([]byte(nil), payload...))
	return s.err
}

func (s *script) Log(level int32, message []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.logs = append(s.logs, logged{level, string(message)})
}

func (s *script) Call(name, payload []byte) (int32, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, called{string(name), string(payload)})
	return s.status, s.err
}

// asked is how many calls of the host were given a range.
func (s *script) asked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.outputs) + len(s.fails) + len(s.logs) + len(s.calls)
}
