package pool

import (
	"fmt"
	"log/slog"

	"github.com/wasmpool/wasmpool/subprocess/sandbox"
)

// Sandbox says how much of a wall there must be around each worker, beside the
// one that WebAssembly is.
type Sandbox uint8

const (
	// Default builds every layer that this machine allows, and logs once which
	// it does not.
	Default Sandbox = iota
	// Strict starts no worker that lacks a layer, and has every system call that
	// is not foreseen end it. It needs a Runner: what the packages of a program of
	// one's own do is not foreseen.
	Strict
	// Off builds nothing, for debugging. It is logged as a warning.
	Off
)

func (s Sandbox) String() string {
	switch s {
	case Default:
		return "default"
	case Strict:
		return "strict"
	case Off:
		return "off"
	}
	return fmt.Sprintf("sandbox %d", uint8(s))
}

// ParseSandbox returns what a name stands for: "default", "strict" or "off".
func ParseSandbox(name string) (Sandbox, error) {
	for s := Default; s <= Off; s++ {
		if s.String() == name {
			return s, nil
		}
	}
	return 0, fmt.Errorf("pool: sandbox %q: want default, strict or off", name)
}

// Layer says what has become of one layer of the sandbox.
type Layer struct {
	Name string `json:"name"`
	On   bool   `json:"on"`
	Why  string `json:"why,omitempty"` // it is off
}

// walled is a worker that has a wall around it.
type walled interface{ Wall() sandbox.Report }

// states is what is known of each layer of a worker's wall; nil if it can have none.
func states(w Worker) []sandbox.State {
	p, ok := w.(walled)
	if !ok || p.Wall() == nil {
		return nil
	}
	return p.Wall().States()
}

// layersOf are states as users see them.
func layersOf(states []sandbox.State) []Layer {
	var ls []Layer
	for _, s := range states {
		ls = append(ls, Layer{Name: s.Layer.String(), On: s.On, Why: printable(s.Why)})
	}
	return ls
}

// tellSandbox says which layers workers do without: with the first one, and
// whenever one comes that lacks another. The lock is held.
func (p *Pool) tellSandbox(states []sandbox.State) {
	if states == nil {
		return
	}
	off := sandbox.Off(states)
	news := p.sandbox == nil && len(off) > 0
	if p.sandbox == nil {
		p.sandbox = layersOf(states)
	}
	for _, s := range off {
		if l := &p.sandbox[s.Layer]; l.On {
			l.On, l.Why, news = false, printable(s.Why), true
		}
	}
	if news {
		p.run.events.add(func() {
			p.options.Logger.Warn("wasmpool: this machine allows only a part of the sandbox", slog.String("off", printable(sandbox.Reasons(off))))
		}, mayDrop)
	}
}

// plan is the wall of a worker, and the layers that it must have.
func (s Sandbox) plan() (sandbox.Plan, sandbox.Set) {
	switch s {
	case Strict:
		return sandbox.Plan{Layers: sandbox.All, Deadly: true}, sandbox.All
	case Off:
		return sandbox.Plan{}, 0
	case Default:
	}
	return sandbox.Plan{Layers: sandbox.All}, 0
}
