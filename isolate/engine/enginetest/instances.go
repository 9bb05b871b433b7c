package enginetest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/wasmpool/wasmpool/isolate/engine"
	"github.com/wasmpool/wasmpool/testdata/wasm"
)

func testInstances(t *testing.T, newEngine New) {
	m := load(t, newEngine, wasm.Module("traps"), engine.Config{})
	t.Run("one's end is not another's", func(t *testing.T) {
		a, b := instantiate(t, m, engine.InstanceConfig{}), instantiate(t, m, engine.InstanceConfig{})
		if _, err := a.Invoke("count"); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Invoke("unreachable"); err == nil {
			t.Fatal("unreachable returned")
		}
		if got, err := b.Invoke("count"); got != 1 || err != nil {
			t.Errorf("got %d, %v, want 1", got, err)
		}
	})
	t.Run("several at once", func(t *testing.T) {
		var wait sync.WaitGroup
		for range 4 {
			wait.Go(func() {
				for range 20 {
					x, err := m.Instantiate(t.Context(), engine.InstanceConfig{Host: new(script)})
					if err != nil {
						t.Error(err)
						return
					}
					for want := int32(1); want <= 50; want++ {
						if got, err := x.Invoke("count"); got != want || err != nil {
							t.Errorf("got %d, %v, want %d", got, err, want)
						}
					}
					if _, err := x.Invoke("exit"); err == nil {
						t.Error("exit returned")
					}
					if err := x.Close(); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wait.Wait()
	})
	t.Run("closed twice, and then called", func(t *testing.T) {
		x := instantiate(t, m, engine.InstanceConfig{})
		if err := errors.Join(x.Close(), x.Close()); err != nil {
			t.Error(err)
		}
		if _, err := x.Invoke("count"); err == nil {
			t.Error("a closed instance was called")
		}
	})
	t.Run("no memory at all", func(t *testing.T) {
		m := load(t, newEngine, wasm.Module("hostile-no-memory"), engine.Config{})
		if got := m.Describe().Memory; got != nil {
			t.Errorf("described with a memory %v", got)
		}
		if got, err := instantiate(t, m, engine.InstanceConfig{}).Invoke("nothing"); got != 0 || err != nil {
			t.Errorf("nothing: got %d, %v", got, err)
		}
		for _, export := range []string{"something", "wasi"} {
			_, err := instantiate(t, m, engine.InstanceConfig{}).Invoke(export)
			trap(t, err)
		}
	})
}

func testDescription(t *testing.T, newEngine New) {
	got := load(t, newEngine, wasm.Module("hostile-start-imports"), engine.Config{}).Describe()
	function := func(module, name string, params int, results ...string) engine.Func {
		f := engine.Func{Module: module, Name: name, Params: []string{}, Results: append([]string{}, results...)}
		for range params {
			f.Params = append(f.Params, "i32")
		}
		return f
	}
	want := engine.Description{
		Imports: []engine.Func{
			function("wasmpool", "input", 2, "i32"), function("wasmpool", "output", 2),
			function("wasmpool", "context", 2, "i32"), function("wasmpool", "host", 4, "i32"),
		},
		Exports: []engine.Func{
			function("", "context_len", 0, "i32"), function("", "host_status", 0, "i32"), function("", "input_len", 0, "i32"),
		},
		Memory: &engine.Memory{MinBytes: 1 << 16, MaxBytes: 4 << 30},
	}
	same(t, "the description", want, got)
}

func testWASI(t *testing.T, newEngine New) {
	m := load(t, newEngine, probeModule(), engine.Config{})
	const at = 4096

	t.Run("arguments and environment", func(t *testing.T) {
		p := newProbe(t, m, engine.InstanceConfig{Args: []string{"worker", "-v"}, Env: []string{"A=1", "B=x=y"}})
		if got, err := p.do(opArgs, at, at+64); got != 0 || err != nil {
			t.Fatalf("args_get: %d, %v", got, err)
		}
		equal(t, "arguments", p.memory(t, at+64, 10), []byte("worker\x00-v\x00"))
		if got, err := p.do(opEnviron, at, at+64); got != 0 || err != nil {
			t.Fatalf("environ_get: %d, %v", got, err)
		}
		equal(t, "environment", p.memory(t, at+64, 10), []byte("A=1\x00B=x=y\x00"))
	})
	t.Run("standard streams", func(t *testing.T) {
		var stdout, stderr bytes.Buffer
		p := newProbe(t, m, engine.InstanceConfig{Stdout: &stdout, Stderr: &stderr})
		p.poke(t, at, 1024)
		p.poke(t, at+4, 5)
		for _, fd := range []uint32{1, 2, 1} {
			if got, err := p.do(opWrite, fd, at, 1, at+8); got != 0 || err != nil {
				t.Fatalf("fd_write(%d): %d, %v", fd, got, err)
			}
		}
		if stdout.String() != "probeprobe" || stderr.String() != "probe" {
			t.Errorf("stdout %q, stderr %q", stdout.String(), stderr.String())
		}
	})
	t.Run("streams that nobody wants", func(t *testing.T) {
		p := newProbe(t, m, engine.InstanceConfig{})
		p.poke(t, at+4, 5)
		for _, fd := range []uint32{1, 2} {
			if got, err := p.do(opWrite, fd, at, 1, at+8); got != 0 || err != nil {
				t.Errorf("fd_write(%d): %d, %v", fd, got, err)
			}
		}
	})
	t.Run("no file, and an empty standard input", func(t *testing.T) {
		p := newProbe(t, m, engine.InstanceConfig{})
		p.poke(t, at, at+64)
		p.poke(t, at+4, 64)
		if got, err := p.do(opRead, 0, at, 1, at+8); got != 0 || err != nil {
			t.Errorf("fd_read(0): %d, %v", got, err)
		}
		equal(t, "bytes read", p.memory(t, at+8, 4), make([]byte, 4))
		for fd := range uint32(10) {
			if got, err := p.do(opOpen, fd, 1024, 5, at); got == 0 || err != nil {
				t.Errorf("path_open(%d): %d, %v, want an errno", fd, got, err)
			}
			if fd < 3 {
				continue
			}
			if got, err := p.do(opPrestat, fd, at); got == 0 || err != nil {
				t.Errorf("fd_prestat_get(%d): %d, %v, want an errno", fd, got, err)
			}
			if got, err := p.do(opWrite, fd, at, 1, at+8); got == 0 || err != nil {
				t.Errorf("fd_write(%d): %d, %v, want an errno", fd, got, err)
			}
		}
	})
	t.Run("real clocks", func(t *testing.T) {
		p := newProbe(t, m, engine.InstanceConfig{})
		read := func(clock uint32) time.Duration {
			if got, err := p.do(opClock, clock, at); got != 0 || err != nil {
				t.Fatalf("clock_time_get(%d): %d, %v", clock, got, err)
			}
			return time.Duration(binary.LittleEndian.Uint64(p.memory(t, at, 8)))
		}
		wall, monotonic := read(0), read(1)
		if got := time.Since(time.Unix(0, int64(wall))); got < -time.Minute || got > time.Minute {
			t.Errorf("the wall clock is off by %v", got)
		}
		// A relative timeout of 2 ms on the monotonic clock.
		p.poke(t, at+16, 1)
		p.poke(t, at+24, 2_000_000)
		if got, err := p.do(opPoll, at, at+64, 1, at+128); got != 0 || err != nil {
			t.Fatalf("poll_oneoff: %d, %v", got, err)
		}
		if slept := read(1) - monotonic; slept < 2*time.Millisecond {
			t.Errorf("the monotonic clock went on by %v in a sleep of 2ms", slept)
		}
	})
	t.Run("random bytes", func(t *testing.T) {
		p := newProbe(t, m, engine.InstanceConfig{})
		seen := make(map[string]bool)
		for range 3 {
			if got, err := p.do(opRandom, at, 32); got != 0 || err != nil {
				t.Fatalf("random_get: %d, %v", got, err)
			}
			seen[string(p.memory(t, at, 32))] = true
		}
		if len(seen) != 3 {
			t.Errorf("random bytes repeat: %v", seen)
		}
	})
	t.Run("pointers that wrap", func(t *testing.T) {
		for _, operands := range [][]uint32{
			{opPoll, at, at, 1 << 28, at},
			{opPoll, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
			{opPoll, at, at, 89478486, at},
			{opRandom, 0xffffffff, 0xffffffff},
			{opWrite, 1, at, 0x20000000, at},
			{opRead, 0, 0xffffffff, 0xffffffff, 0},
			{opArgs, 0xffffffff, 0xffffffff},
			{opClock, 1, 0xffffffff},
		} {
			p := newProbe(t, m, engine.InstanceConfig{Args: []string{"a"}})
			// An errno is as good as a trap, and nothing written as nothing asked.
			if _, err := p.do(operands[0], operands[1:]...); err != nil {
				trap(t, err)
			}
		}
	})
	t.Run("an environment without a value", func(t *testing.T) {
		p := newProbe(t, m, engine.InstanceConfig{Env: []string{"EMPTY="}})
		if got, err := p.do(opEnviron, at, at+64); got != 0 || err != nil {
			t.Fatalf("environ_get: %d, %v", got, err)
		}
		equal(t, "environment", p.memory(t, at+64, 7), []byte("EMPTY=\x00"))
	})
	t.Run("a flood goes to its writer piece by piece", func(t *testing.T) {
		var counted counter
		p := newProbe(t, m, engine.InstanceConfig{Stdout: &counted})
		p.poke(t, at+4, 65536)
		for range 100 {
			if got, err := p.do(opWrite, 1, at, 1, at+8); got != 0 || err != nil {
				t.Fatalf("fd_write: %d, %v", got, err)
			}
		}
		if counted != 100*65536 {
			t.Errorf("the writer saw %d bytes, want %d", counted, 100*65536)
		}
	})
}

// counter counts the bytes that are written to it.
type counter int

func (c *counter) Write(b []byte) (int, error) {
	*c += counter(len(b))
	return len(b), nil
}
