package pool_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wasmpool/wasmpool/abi"
	"github.com/wasmpool/wasmpool/pool"
	"github.com/wasmpool/wasmpool/pool/pooltest"
)

// file writes a module to a new directory, and returns that.
func file(t *testing.T, name, content string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// A proxy may be made before start, and survives start, recycle and stop.
func TestAProxyOutlivesStartRecycleAndStop(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Manual: true})
		ctx := t.Context()
		echo := b.Proxy("a", "echo")
		_, err := echo(ctx, 1)
		wantIs(t, err, pool.ErrNotStarted)
		answers := func() {
			t.Helper()
			if got, err := echo(ctx, "x", 2, nil); err != nil || string(got) != `["x",2,null]` {
				t.Errorf("echo = %s, %v", got, err)
			}
		}
		for range 2 {
			if err := b.Start(ctx); err != nil {
				t.Fatal(err)
			}
			answers()
			if err := b.Recycle(ctx); err != nil {
				t.Fatal(err)
			}
			answers()
			if err := b.Stop(ctx); err != nil {
				t.Fatal(err)
			}
			_, err = echo(ctx)
			wantIs(t, err, pool.ErrStopped)
		}
	})
}

// A relative module path is resolved against Dir, for Call and for a proxy, and
// not against where the library lies.
func TestRelativeModulePathsAreResolvedAgainstDir(t *testing.T) {
	bubble(t, func(t *testing.T) {
		dir := file(t, "worker.wasm", "the bytes")
		b := newBench(t, pool.Options{Dir: dir})
		if _, err := b.Call(t.Context(), "worker.wasm", "echo"); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Proxy("./worker.wasm", "echo")(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Call(t.Context(), filepath.Join(dir, "worker.wasm"), "echo"); err != nil {
			t.Fatal(err)
		}
		// The two ways to write the relative path are one module, with one worker.
		b.wantLaunched(2)
		a := b.alive()[0].Assignment()
		want(t, "the module's bytes", string(a.Source), "the bytes")
		want(t, "the module's name", a.Module, "worker.wasm")
	})
}

// Without Dir it is the working directory.
func TestRelativeModulePathsWithoutDirAreOfTheWorkingDirectory(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{})
		if _, err := b.Call(t.Context(), "proxy_test.go", "echo"); err != nil {
			t.Fatal(err)
		}
		if source := string(b.alive()[0].Assignment().Source); !strings.HasPrefix(source, "package pool_test") {
			t.Errorf("the module is %.40q", source)
		}
	})
}

// The working directory counts once, at New.
func TestTheWorkingDirectoryIsLookedUpOnce(t *testing.T) {
	o := pool.Options{} // not parallel: it changes the working directory
	prepare(t, &o)
	t.Chdir(file(t, "worker.wasm", "here"))
	p, err := pool.New(o)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	t.Chdir(t.TempDir())
	if _, err := p.Call(t.Context(), "worker.wasm", "echo"); err != nil {
		t.Error(err)
	}
}

// A proxy resolves its module once: that another directory is set meanwhile, and
// holds no such file, is no matter until the workers are built anew.
func TestAProxyResolvesItsModuleOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Dir: file(t, "worker.wasm", "old")})
		echo := b.Proxy("worker.wasm", "echo")
		if _, err := echo(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := b.SetDir(t.TempDir()); err != nil {
			t.Fatal(err)
		}
		if _, err := echo(t.Context()); err != nil {
			t.Errorf("after SetDir: %v", err)
		}
	})
}

// A module that is not there is an error that names it, of Call and of a proxy;
// the proxy finds it when it is there.
func TestTheErrorForAMissingModuleNamesIt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		dir := t.TempDir()
		b := newBench(t, pool.Options{Dir: dir, Modules: named("one", "two")})
		echo := b.Proxy("later.wasm", "echo")
		_, err := echo(t.Context())
		e := as[*pool.ModuleError](t, err)
		want(t, "Fault", e.Fault, abi.NotFoundModule)
		want(t, "the text", err.Error(), `pool: module "later.wasm": not found: there is no file `+dir+`/later.wasm, nor is it one of Options.Modules: one, two`)
		wantIs(t, err, os.ErrNotExist)

		_, err = b.Call(t.Context(), "", "echo")
		want(t, "the text", as[*pool.ModuleError](t, err).Error(), `pool: module "": not found: the name is empty; want the path of a module, or one of Options.Modules`)

		if err := os.WriteFile(filepath.Join(dir, "later.wasm"), []byte("now"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := echo(t.Context()); err != nil {
			t.Errorf("the file is there now: %v", err)
		}
		b.wantLaunched(1)
	})
}

// A name in Options.Modules wins over a path.
func TestANameOfModulesWinsOverAPath(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{
			Dir:     file(t, "worker.wasm", "the file"),
			Modules: map[string]pool.Module{"worker.wasm": {Bytes: []byte("the name")}},
		})
		if _, err := b.Call(t.Context(), "worker.wasm", "echo"); err != nil {
			t.Fatal(err)
		}
		want(t, "the module", string(b.alive()[0].Assignment().Source), "the name")
	})
}

// Func decodes the result into a Go type, and says when it does not fit.
func TestFuncDecodesTheResult(t *testing.T) {
	bubble(t, func(t *testing.T) {
		type pair struct {
			Name  string
			Count int
		}
		b := newBench(t, pool.Options{Launcher: &pooltest.Launcher{OnCall: func(_ context.Context, c *pooltest.Call) (any, error) {
			var args []json.RawMessage
			err := json.Unmarshal(c.Args, &args)
			return args[0], err
		}}})
		got, err := pool.Func[pair](b.Pool, "a", "first")(t.Context(), pair{"x", 3})
		if err != nil || got != (pair{"x", 3}) {
			t.Errorf("a struct: %v, %v", got, err)
		}
		n, err := pool.Func[int](b.Pool, "a", "first")(t.Context(), "text")
		if n != 0 || err == nil || !strings.HasPrefix(err.Error(), `pool: call "first": the result does not fit int: json: cannot unmarshal string`) {
			t.Errorf("text as a number: %v, %v", n, err)
		}
		as[*json.UnmarshalTypeError](t, err)
		none, err := pool.Func[*pair](b.Pool, "a", "first")(t.Context(), nil)
		if none != nil || err != nil {
			t.Errorf("null: %v, %v", none, err)
		}
	})
}

// Values are what JSON carries; arguments that it does not carry are refused
// before anything is sent.
func TestArgumentsAreWhatJSONCarries(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Launcher: &pooltest.Launcher{
			OnCall: func(_ context.Context, c *pooltest.Call) (any, error) { return string(c.Args), nil },
		}})
		echo := pool.Func[string](b.Pool, "a", "echo")
		for _, row := range []struct {
			args []any
			want string
		}{
			{nil, `[]`},
			{[]any{nil}, `[null]`},
			{[]any{"<&>\u2028", 1.5, true, []int{1}, map[string]int{"a": 1}}, `["<&>\u2028",1.5,true,[1],{"a":1}]`},
			{[]any{json.RawMessage(`{"raw":1}`)}, `[{"raw":1}]`},
		} {
			got, err := echo(t.Context(), row.args...)
			if err != nil || got != row.want {
				t.Errorf("echo(%v) = %s, %v, want %s", row.args, got, err, row.want)
			}
		}
		_, err := echo(t.Context(), make(chan int))
		if err == nil || err.Error() != `pool: call "echo": an argument is not for JSON: json: unsupported type: chan int` {
			t.Errorf("a channel: %v", err)
		}
		as[*json.UnsupportedTypeError](t, err)
		want(t, "the calls made", b.Stats().Calls, 4)
	})
}

// CallRaw passes bytes, which nobody looks at.
func TestCallRawPassesBytes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{})
		args := []byte(`["any", 1]`)
		got, err := b.CallRaw(t.Context(), "a", "echo", args)
		if err != nil || string(got) != `["any",1]` { // the scripted worker encodes it
			t.Errorf("echo = %s, %v", got, err)
		}
		got[0], args[0] = 'x', 'x'
		again, err := b.CallRaw(t.Context(), "a", "echo", []byte(`[]`))
		if err != nil || string(again) != `[]` {
			t.Errorf("echo = %s, %v", again, err)
		}
	})
}

// What Meta attaches reaches the worker, from the function it is made with and
// from the context, whose options come last.
func TestMetaAndContextOptionsReachTheCall(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Launcher: &pooltest.Launcher{OnCall: func(_ context.Context, c *pooltest.Call) (any, error) { return c.Meta, nil }}})
		f := b.Proxy("a", "any", pool.Meta(map[string]any{"tenant": "one"}))
		got, err := f(t.Context())
		if err != nil || string(got) != `{"tenant":"one"}` {
			t.Errorf("meta is %s, %v", got, err)
		}
		ctx := pool.WithCallOptions(t.Context(), pool.Meta(map[string]any{"tenant": "two"}))
		if got, err = f(ctx); err != nil || string(got) != `{"tenant":"two"}` {
			t.Errorf("meta is %s, %v", got, err)
		}
		for text, option := range map[string]pool.CallOption{
			"pool: call option Meta is not for JSON: json: unsupported type: chan int": pool.Meta(map[string]any{"x": make(chan int)}),
			"pool: call option Timeout is -1s; want zero or more":                      pool.Timeout(-1e9),
			"pool: call option QueueTimeout is -1s; want zero or more":                 pool.QueueTimeout(-1e9),
		} {
			if _, err := f(pool.WithCallOptions(t.Context(), option)); err == nil || err.Error() != text {
				t.Errorf("error is %v, want %s", err, text)
			}
		}
	})
}

// TestSetDirLeavesNewNamesAloneBeforeARecycle holds that a module named for the
// first time is looked for where those that serve were.
func TestSetDirLeavesNewNamesAloneBeforeARecycle(t *testing.T) {
	t.Parallel()
	before, after := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(before, "m.wasm"), []byte("any"), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := pool.New(pool.Options{Dir: before, Launcher: &pooltest.Launcher{}, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := p.SetDir(after); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"m.wasm", "./m.wasm", "x/../m.wasm"} {
		if _, err := p.Call(t.Context(), name, "f"); err != nil {
			t.Errorf("calling %s: %v", name, err)
		}
	}
	if n := p.ProcessCount(); n != 1 {
		t.Errorf("%d processes serve three ways to write one path, want 1", n)
	}
	if err := p.Recycle(t.Context()); err == nil {
		t.Error("Recycle found the module in a directory where it is not")
	}
}
