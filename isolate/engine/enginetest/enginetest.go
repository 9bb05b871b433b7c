// Package enginetest is the conformance suite of [engine.Engine]: what isolate
// relies on, said as tests.
//
// An engine's own test is one line:
//
//	func TestConformance(t *testing.T) { enginetest.Run(t, newEngine) }
package enginetest

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"reflect"
	"testing"

	"github.com/wasmpool/wasmpool/abi"
	"github.com/wasmpool/wasmpool/isolate/engine"
	"github.com/wasmpool/wasmpool/testdata/wasm"
)

// New makes a fresh engine for one module.
type New func() engine.Engine

// Run runs the suite. Each engine that it makes loads one module and is closed.
func Run(t *testing.T, newEngine New) {
	for _, suite := range []struct {
		name string
		run  func(*testing.T, New)
	}{
		{"imports", testImports},
		{"outside", testOutside},
		{"host errors", testHostErrors},
		{"abort", testAbort},
		{"wasi", testWASI},
		{"endings", testEndings},
		{"limits", testLimits},
		{"start", testStart},
		{"refusals", testRefusals},
		{"truncated", testTruncated},
		{"damaged", testDamaged},
		{"instances", testInstances},
		{"description", testDescription},
		{"cache", testCache},
		{"dirs", testDirs},
	} {
		t.Run(suite.name, func(t *testing.T) {
			t.Parallel()
			suite.run(t, newEngine)
		})
	}
}

// load loads a module that has nothing wrong with it.
func load(t testing.TB, newEngine New, source []byte, config engine.Config) engine.Module {
	t.Helper()
	e := newEngine()
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Errorf("Engine.Close: %v", err)
		}
	})
	m, err := e.Load(context.Background(), source, config)
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	return m
}

func instantiate(t testing.TB, m engine.Module, config engine.InstanceConfig) engine.Instance {
	t.Helper()
	if config.Host == nil {
		config.Host = new(script)
	}
	x, err := m.Instantiate(context.Background(), config)
	if err != nil {
		t.Fatalf("Instantiate: %v", err)
	}
	t.Cleanup(func() {
		if err := x.Close(); err != nil {
			t.Errorf("Instance.Close: %v", err)
		}
	})
	return x
}

// The operations of probe.wasm.
const (
	opInput = iota
	opOutput
	opFail
	opFunction
	opContext
	opCancelled
	opLog
	opHost
	opReply
	opAbort
	opPoll
	opRandom
	opClock
	opWrite
	opRead
	opOpen
	opPrestat
	opArgs
	opEnviron
	opPoke // also how many there are before it
)

// operation is the input that makes probe.wasm do op.
func operation(op uint32, operands ...uint32) []byte {
	var b [20]byte
	binary.LittleEndian.PutUint32(b[:], op)
	for i, o := range operands {
		binary.LittleEndian.PutUint32(b[4+4*i:], o)
	}
	return b[:]
}

// probe is an instance of probe.wasm with its host.
type probe struct {
	host     *script
	instance engine.Instance
}

func newProbe(t testing.TB, m engine.Module, config engine.InstanceConfig) *probe {
	t.Helper()
	host := new(script)
	config.Host = host
	return &probe{host, instantiate(t, m, config)}
}

func (p *probe) do(op uint32, operands ...uint32) (int32, error) {
	p.host.input = operation(op, operands...)
	return p.instance.Invoke("probe")
}

// memory is a part of the guest's memory.
func (p *probe) memory(t testing.TB, ptr, size uint32) []byte {
	t.Helper()
	p.host.outputs = nil
	if _, err := p.do(opOutput, ptr, size); err != nil {
		t.Fatalf("output(%d, %d): %v", ptr, size, err)
	}
	return p.host.outputs[0]
}

// poke writes 32 bits to the guest's memory.
func (p *probe) poke(t testing.TB, ptr, value uint32) {
	t.Helper()
	if _, err := p.do(opPoke, ptr, value); err != nil {
		t.Fatalf("poke(%d, %d): %v", ptr, value, err)
	}
}

func trap(t testing.TB, err error) *engine.TrapError {
	t.Helper()
	var trap *engine.TrapError
	if !errors.As(err, &trap) {
		t.Fatalf("got error %v (%T), want a *engine.TrapError", err, err)
	}
	if trap.Message == "" {
		t.Errorf("the trap has no message")
	}
	return trap
}

func fault(t testing.TB, err error) abi.Fault {
	t.Helper()
	var invalid *engine.InvalidError
	if !errors.As(err, &invalid) {
		t.Fatalf("got error %v (%T), want a *engine.InvalidError", err, err)
	}
	if invalid.Message == "" {
		t.Errorf("the fault has no message")
	}
	return invalid.Fault
}

func equal(t testing.TB, what string, got, want []byte) {
	t.Helper()
	if !bytes.Equal(got, want) {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// same compares deeply. Users' tests run this suite, so it depends on nothing.
func same(t testing.TB, what string, want, got any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %+v\nwant %+v", what, got, want)
	}
}

func probeModule() []byte { return wasm.Module("probe") }
