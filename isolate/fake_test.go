package isolate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/wasmpool/wasmpool/isolate/engine"
)

// fakeEngine is an engine whose module is written in Go: its functions get the
// host, as a guest does. It counts what was made and closed.
type fakeEngine struct {
	exports map[string]func(g *guest) (int32, error)
	imports []engine.Func
	signal  func(g *guest, number int32) error // nil: not exported
	types   map[string]engine.Func             // exports of another type
	start   func(g *guest) error               // the start section and _initialize
	noMem   bool

	config    engine.Config
	instances []*guest
	closed    []string // of what, in order
}

// guest is an instance of a fakeEngine.
type guest struct {
	engine.InstanceConfig
	engine *fakeEngine
	number int // 0 for the first instance
	ended  bool
	closed bool
	calls  int
}

func (e *fakeEngine) Name() string    { return "fake" }
func (e *fakeEngine) Version() string { return "1" }
func (e *fakeEngine) Close() error    { e.closed = append(e.closed, "engine"); return nil }

func (e *fakeEngine) Load(_ context.Context, source []byte, config engine.Config) (engine.Module, error) {
	e.config = config
	if strings.HasPrefix(string(source), "bad") {
		return nil, &engine.InvalidError{Fault: "not a module", Message: "it is bad"}
	}
	return (*fakeModule)(e), nil
}

type fakeModule fakeEngine

func (m *fakeModule) Close() error { m.closed = append(m.closed, "module"); return nil }

func (m *fakeModule) Describe() engine.Description {
	d := engine.Description{Imports: m.imports, Memory: &engine.Memory{MinBytes: 1 << 16, MaxBytes: 1 << 16}}
	if m.noMem {
		d.Memory = nil
	}
	for name := range m.exports {
		d.Exports = append(d.Exports, engine.Func{Name: name, Results: []string{"i32"}})
	}
	if m.signal != nil {
		d.Exports = append(d.Exports, engine.Func{Name: "wasmpool_signal", Params: []string{"i32"}})
	}
	for name, f := range m.types {
		f.Name = name
		d.Exports = append(d.Exports, f)
	}
	slices.SortFunc(d.Exports, func(a, b engine.Func) int { return strings.Compare(a.Name, b.Name) })
	return d
}

func (m *fakeModule) Instantiate(_ context.Context, config engine.InstanceConfig) (engine.Instance, error) {
	g := &guest{InstanceConfig: config, engine: (*fakeEngine)(m), number: len(m.instances)}
	m.instances = append(m.instances, g)
	if m.start != nil {
		if err := m.start(g); err != nil {
			return nil, err
		}
	}
	return g, nil
}

func (g *guest) Invoke(export string) (int32, error) {
	run, ok := g.engine.exports[export]
	switch {
	case g.closed || g.ended:
		return 0, fmt.Errorf("fake: %s called after the instance ended", export)
	case !ok:
		return 0, fmt.Errorf("fake: no export %s", export)
	}
	g.calls++
	status, err := run(g)
	g.ended = err != nil
	return status, err
}

func (g *guest) Signal(_ string, number int32) error { return g.engine.signal(g, number) }
func (g *guest) MemoryBytes() int64                  { return 1 << 16 }

func (g *guest) Close() error {
	if g.closed {
		return errors.New("fake: closed twice")
	}
	g.closed = true
	return nil
}

// journal keeps log records as text.
type journal struct {
	mu      sync.Mutex
	records []string
}

func (j *journal) log(source LogSource, level int32, text []byte) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.records = append(j.records, fmt.Sprintf("%d/%d %s", source, level, text))
}

func (j *journal) take() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	records := j.records
	j.records = nil
	return records
}

// load loads a module that has nothing wrong with it.
func load(t testing.TB, e engine.Engine, settings Settings, source []byte) (*Isolate, Info, *journal) {
	t.Helper()
	j := new(journal)
	x := New(e, j.log)
	if settings.Name == "" {
		settings.Name = "worker"
	}
	info, err := x.Load(t.Context(), settings, source)
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	t.Cleanup(func() {
		if err := x.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return x, info, j
}

// scriptedHost is a [Host] of functions.
type scriptedHost struct {
	call      func(name string, payload []byte) (int32, []byte)
	cancelled func() bool
}

func (h *scriptedHost) HostCall(name string, payload []byte) (int32, []byte) {
	return h.call(name, payload)
}

func (h *scriptedHost) Cancelled() bool { return h.cancelled != nil && h.cancelled() }
