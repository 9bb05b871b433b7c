package pool

import (
	"fmt"

	"github.com/wasmpool/wasmpool/subprocess/sandbox"
)

// Sandbox says how much of a wall there must be around each worker, beside the
// one that WebAssembly is.
type Sandbox uint8

const (
	// Default builds every layer that this machine allows, and logs once which
	// it does not.
	Default Sandbox = iota
	// Strict starts no worker that lacks a layer. It wants a Runner, since in a
	// program of one's own every system call that is not foreseen would end it.
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

// plan is the wall of a worker, and the layers that it must have.
func (s Sandbox) plan() (sandbox.Plan, sandbox.Set) {
	switch s {
	case Strict:
		return sandbox.Plan{Layers: sandbox.All, Deadly: true}, sandbox.All
	case Off:
		return sandbox.Plan{}, 0
	}
	return sandbox.Plan{Layers: sandbox.All}, 0
}
