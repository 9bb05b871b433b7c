package wazero

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/wasmpool/wasmpool/internal/guestbuild"
	"github.com/wasmpool/wasmpool/isolate/engine"
	"github.com/wasmpool/wasmpool/isolate/engine/enginetest"
	"github.com/wasmpool/wasmpool/testdata/wasm"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	enginetest.Run(t, New)
}

func FuzzImports(f *testing.F) { enginetest.FuzzImports(f, New) }

func TestVersionNamesWhatKeysTheCode(t *testing.T) {
	t.Parallel()
	version := New().Version()
	if version != New().Version() {
		t.Error("the version changes")
	}
	if fields := strings.Fields(version); len(fields) < 3 || !strings.Contains(fields[1], "/") {
		t.Errorf("got %q, want a version, a platform and the processor's features", version)
	}
}

func TestThisWazeroKeepsItsCodeWhereItIsTold(t *testing.T) {
	t.Parallel()
	if !replaceable() {
		t.Error("this version of wazero is built otherwise: no code is kept; see compilationCache")
	}
}

func TestAnEngineLoadsOnce(t *testing.T) {
	t.Parallel()
	e := New()
	if _, err := e.Load(t.Context(), wasm.Module("traps"), engine.Config{}); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Load(t.Context(), wasm.Module("traps"), engine.Config{}); err == nil {
		t.Error("a second module was loaded")
	}
	if err := errors.Join(e.Close(), e.Close()); err != nil {
		t.Error(err)
	}
}

func TestLoadEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	e := New()
	_, err := e.Load(ctx, guestbuild.Go(t, "testdata/echo"), engine.Config{})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

func TestStackIsReadable(t *testing.T) {
	t.Parallel()
	for export, want := range map[string]string{
		"trap":    "worker_trap() i32",
		"recurse": "deeper(i32) i64\ndeeper(i32) i64",
	} {
		_, x := start(t, wasm.Module("echo"), engine.Config{}, &echoHost{})
		_, err := x.Invoke(export)
		var trap *engine.TrapError
		if !errors.As(err, &trap) || !strings.Contains("\n"+trap.Stack, "\n"+want) {
			t.Errorf("%s: got %v with stack %q, want %q in it", export, err, trap.Stack, want)
		}
		if len(trap.Stack) > 31*(maxFrame+4) {
			t.Errorf("%s: the stack has %d bytes", export, len(trap.Stack))
		}
	}
}

// panickyHost has a mistake in it.
type panickyHost struct{ echoHost }

func (*panickyHost) Function() string { panic("bug: in the host") }

func TestAMistakeOfOursIsNotTheGuests(t *testing.T) {
	t.Parallel()
	_, x := start(t, wasm.Module("dispatch"), engine.Config{}, new(panickyHost))
	_, err := x.Invoke("wasmpool_call")
	var trap *engine.TrapError
	if err == nil || errors.As(err, &trap) || !strings.Contains(err.Error(), "bug: in the host") {
		t.Errorf("got %v, want an error that is no trap", err)
	}
}

func TestGoGuest(t *testing.T) {
	t.Parallel()
	m, x := start(t, guestbuild.Go(t, "testdata/echo"), engine.Config{}, &echoHost{})
	t.Run("collects its garbage, for its clock goes on", func(t *testing.T) {
		t.Parallel()
		for range 2000 {
			if status, err := x.Invoke("garbage"); status != 0 || err != nil {
				t.Fatal(status, err)
			}
		}
		if got := x.MemoryBytes(); got > 64<<20 {
			t.Errorf("2000 times 64 KiB of garbage grew the guest to %d MiB", got>>20)
		}
	})
	t.Run("panics on standard error", func(t *testing.T) {
		t.Parallel()
		var stderr bytes.Buffer
		x, err := m.Instantiate(t.Context(), engine.InstanceConfig{Host: &echoHost{}, Stderr: &stderr})
		if err != nil {
			t.Fatal(err)
		}
		_, err = x.Invoke("panics")
		var trap *engine.TrapError
		var exit *engine.ExitError
		if !errors.As(err, &trap) && !errors.As(err, &exit) {
			t.Errorf("got %v (%T)", err, err)
		}
		if !strings.HasPrefix(stderr.String(), "panic: boom") {
			t.Errorf("standard error has %q", stderr.String())
		}
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestInvokeAllocatesNothing(t *testing.T) { // not parallel: it counts allocations
	host := &echoHost{input: make([]byte, 32)}
	_, x := start(t, wasm.Module("echo"), engine.Config{}, host)
	if got := testing.AllocsPerRun(1000, func() {
		if status, err := x.Invoke("echo"); status != 0 || err != nil {
			t.Fatal(status, err)
		}
	}); got != 0 {
		t.Errorf("a call allocates %v times", got)
	}
}
