package pool_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/wasmpool/wasmpool/pool"
	"github.com/wasmpool/wasmpool/testdata/wasm"
)

// sharedCache lets the tests with real processes compile each module once.
var sharedCache string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "wasmpool-test-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		sharedCache = dir
		return m.Run()
	}())
}

// modules are those that the tests with real processes know.
func modules() map[string]pool.Module {
	known := make(map[string]pool.Module)
	for _, name := range []string{
		"echo", "hostile-init-trap", "hostile-init-loop", "hostile-init-exit", "hostile-init-fail",
		"hostile-imports", "hostile-command", "hostile-no-memory", "server",
	} {
		known[name] = pool.Module{Bytes: wasm.Module(name)}
	}
	known["text"] = pool.Module{Bytes: []byte("this is not WebAssembly")}
	return known
}

// transport is what the workers of all tests talk through: rings, unless the
// environment asks for the socket.
func transport() pool.Transport {
	if os.Getenv("WASMPOOL_TEST_TRANSPORT") == "socket" {
		return pool.Socket
	}
	return pool.SharedMemory
}

// start makes a pool with real processes, which is stopped at the end of the
// test: no process may be left then.
func start(t testing.TB, o pool.Options) *pool.Pool {
	t.Helper()
	if o.CacheDir == "" {
		o.CacheDir = sharedCache
	}
	if o.Modules == nil {
		o.Modules = modules()
	}
	o.Transport = transport()
	if o.Logger == nil && !testing.Verbose() {
		o.Logger = quiet // thousands of lines would hide what failed
	}
	p, err := pool.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := p.Stop(ctx); err != nil {
			t.Errorf("stopping the pool: %v", err)
		}
		if n := p.ProcessCount(); n != 0 {
			t.Errorf("%d processes are left of a stopped pool", n)
		}
	})
	return p
}

// patience bounds what must not take for ever. It is no measure of anything.
const patience = 60 * time.Second

func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}
