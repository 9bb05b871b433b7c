package pool

import (
	"context"
	"errors"

	"github.com/wasmpool/wasmpool/abi"
)

// ModuleInfo describes a module. All but SHA256 and Bytes is what the module
// says of itself: untrusted text.
type ModuleInfo struct {
	Bytes  int       `json:"bytes"`
	SHA256 string    `json:"sha256"`
	Shape  abi.Shape `json:"shape"`

	// Functions are the names that can be called, as far as the exports tell.
	// With Dispatches set there may be more: the module looks names up itself.
	Functions  []string `json:"functions,omitempty"`
	Dispatches bool     `json:"dispatches,omitempty"`

	Imports []FuncInfo  `json:"imports,omitempty"`
	Exports []FuncInfo  `json:"exports,omitempty"`
	Memory  *MemoryInfo `json:"memory,omitempty"` // nil: it exports none

	Cut bool `json:"cut,omitempty"` // a list was too long, and was cut
}

// FuncInfo is an imported or exported function.
type FuncInfo struct {
	Module  string   `json:"module,omitempty"` // imports only
	Name    string   `json:"name"`
	Params  []string `json:"params"`
	Results []string `json:"results"`
}

// MemoryInfo is the type of a memory, in bytes.
type MemoryInfo struct {
	MinBytes int64 `json:"min_bytes"`
	MaxBytes int64 `json:"max_bytes"`
}

// inspector is a launcher that can describe modules.
type inspector interface {
	Inspect(ctx context.Context, a *Assignment) (*ModuleInfo, error)
}

// Inspect describes a module without running any of it. A child process decodes
// it, under the pool's limits. The pool need not be started.
//
// Errors are *[ModuleError], *[NotReadyError] and those of the context.
func (p *Pool) Inspect(ctx context.Context, module string) (*ModuleInfo, error) {
	i, ok := p.launcher.(inspector)
	if !ok {
		return nil, errors.New("pool: this launcher cannot inspect modules")
	}
	m, err := p.lookup(module)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	gen := p.settings.newGeneration(nil)
	p.mu.Unlock()
	src, err := p.source(ctx, gen, m)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, p.options.StartTimeout+m.settings.Limits.CompileTime, errNotInTime)
	defer cancel()
	info, err := i.Inspect(ctx, &Assignment{
		Module: m.name, Source: src.bytes, SHA256: src.sha256, Shape: m.settings.Shape,
		Functions: m.settings.Functions, Concurrency: 1, Limits: m.settings.Limits,
	})
	if err != nil {
		return nil, notReady(m.name, because(ctx, err))
	}
	info.SHA256 = src.sha256
	return info, nil
}
