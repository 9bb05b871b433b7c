// Package wazero runs modules with the wazero engine: pure Go, compiled to
// machine code. It is the default engine and the only importer of wazero.
//
// It allows WebAssembly 2.0 and nothing beyond it, WASI preview 1 with no files
// but in granted directories, and the imports of the worker ABI. It needs wazero's compiler: where
// there is none, Load says so instead of interpreting at a thirtieth of the
// speed.
package wazero

import (
	"context"
	"fmt"
	"runtime"
	"sync"

	"github.com/tetratelabs/wazero"
	"golang.org/x/sys/cpu"

	"github.com/wasmpool/wasmpool/isolate/engine"
)

// New returns an engine for one module. It costs nothing before Load.
func New() engine.Engine { return newEngine() }

func newEngine() *wazeroEngine { return &wazeroEngine{ready: make(chan struct{})} }

type wazeroEngine struct {
	loaded bool
	once   sync.Once
	ready  chan struct{} // closed when the engine is prepared

	// Set by prepare, and Load's from then on.
	fault   error // why it cannot load anything
	runtime wazero.Runtime
	hosts   []wazero.CompiledModule // what provides the imports
	cache   wazero.CompilationCache // nil: without one
	code    *code                   // what is kept there; nil likewise
}

func (e *wazeroEngine) Name() string { return "wazero" }

// Version tells apart whatever changes the code that is compiled: wazero's
// version, how it is kept, the platform, and the processor's features that it makes use of. It is
// empty where the first is not known, and where this wazero would not let its
// code be kept as it is here.
func (e *wazeroEngine) Version() string {
	if moduleVersion() == "" || !replaceable() {
		return ""
	}
	return fmt.Sprintf("%s %s/%s %s marked", moduleVersion(), runtime.GOOS, runtime.GOARCH, features())
}

func (e *wazeroEngine) Close() error {
	e.once.Do(func() { close(e.ready) }) // it was never begun
	<-e.ready
	if e.runtime == nil {
		return nil
	}
	err := e.runtime.Close(context.Background())
	if e.cache != nil {
		err = first(err, e.cache.Close(context.Background()))
	}
	e.runtime, e.cache, e.code = nil, nil, nil
	return err
}

func first(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// features names the processor's features that decide which instructions
// wazero 1.12 emits.
func features() string {
	switch runtime.GOARCH {
	case "amd64":
		x := &cpu.X86
		return fmt.Sprintf("sse4.1=%t bmi1=%t abm=%t", x.HasSSE41, x.HasBMI1, x.HasBMI1 && x.HasBMI2 && x.HasPOPCNT)
	case "arm64":
		return fmt.Sprintf("atomics=%t", cpu.ARM64.HasATOMICS)
	}
	return "none"
}
