package pool_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmpool/wasmpool/pool"
	"github.com/wasmpool/wasmpool/pool/pooltest"
)

// No option is taken on trust: a value out of its bounds is named with its
// field, and New starts nothing.
func TestNewNamesAnOptionThatIsWrongWithItsValue(t *testing.T) {
	t.Parallel()
	const most = 2_001
	dirs := func(dirs ...pool.Dir) pool.Options {
		return pool.Options{Modules: map[string]pool.Module{"m": {Source: "m", Dirs: dirs}}}
	}
	var many []pool.Dir
	for i := range 65 {
		many = append(many, pool.Dir{Guest: fmt.Sprintf("/%d", i), Host: "."})
	}
	for _, row := range []struct {
		name    string
		options pool.Options
		want    string
	}{
		{"Max below 1", pool.Options{Max: -1}, "pool: option Max is -1; want 1 to 2000"},
		{"Max too large", pool.Options{Max: most}, "pool: option Max is 2001; want 1 to 2000"},
		{"Min negative", pool.Options{Min: -1}, "pool: option Min is -1; want 0 to 3"},
		{"Min above Max", pool.Options{Min: 5, Max: 4}, "pool: option Min is 5; want 0 to 4"},
		{"Min above the default of Max", pool.Options{Min: 4}, "pool: option Min is 4; want 0 to 3"},
		{"Spare negative", pool.Options{Spare: -2}, "pool: option Spare is -2; want 0 to 2000"},
		{"Spare too large", pool.Options{Spare: most}, "pool: option Spare is 2001; want 0 to 2000"},
		{"Concurrency negative", pool.Options{Concurrency: -1}, "pool: option Concurrency is -1; want 1 to 1000"},
		{"Concurrency too large", pool.Options{Concurrency: 1001}, "pool: option Concurrency is 1001; want 1 to 1000"},
		{"Strategy unknown", pool.Options{Strategy: 99}, "pool: option Strategy is strategy 99; want Fewest, Fill, RoundRobin or Random"},
		{"Full negative", pool.Options{Full: -10}, "pool: option Full is -10; want 1 to 1073741824"},
		{"StopSignal negative", pool.Options{StopSignal: -15}, "pool: option StopSignal is -15; want 1 to 64"},
		{"StopSignal unknown", pool.Options{StopSignal: 65}, "pool: option StopSignal is 65; want 1 to 64"},
		{"StartTimeout negative", pool.Options{StartTimeout: -time.Second}, "pool: option StartTimeout is -1s; want more than zero"},
		{"CallTimeout negative", pool.Options{CallTimeout: -time.Second}, "pool: option CallTimeout is -1s; want zero or more"},
		{"QueueTimeout negative", pool.Options{QueueTimeout: -time.Second}, "pool: option QueueTimeout is -1s; want zero or more"},
		{"QueueLimit negative", pool.Options{QueueLimit: -1}, "pool: option QueueLimit is -1; want 1 to 1073741824"},
		{"MaxCalls negative", pool.Options{MaxCalls: -1}, "pool: option MaxCalls is -1; want 0 to 1073741824"},
		{"MaxAge negative", pool.Options{MaxAge: -time.Minute}, "pool: option MaxAge is -1m0s; want zero or more"},
		{"MaxMemoryBytes negative", pool.Options{MaxMemoryBytes: -1}, "pool: option MaxMemoryBytes is -1; want zero or more"},
		{"Preload without a name", pool.Options{Preload: []string{"a", ""}}, `pool: option Preload[1] is ""; want the name or path of a module`},
		{"Env without a name", pool.Options{Env: map[string]string{"": "x"}}, `pool: option Env is ""; want names without '=' and NUL, that are not empty`},
		{"Env name with =", pool.Options{Env: map[string]string{"A=B": "x"}}, `pool: option Env is "A=B"; want names without '=' and NUL, that are not empty`},
		{"Env value with NUL", pool.Options{Env: map[string]string{"A": "x\x00"}}, `pool: option Env["A"] is "x\x00"; want a value without NUL`},
		{"Args with NUL", pool.Options{Args: []string{"fine", "\x00"}}, `pool: option Args[1] is "\x00"; want an argument without NUL`},
		{"Host without a name", pool.Options{Host: map[string]pool.HostFunc{"": nil}}, `pool: option Host is ""; want names that are not empty`},
		{"Host without a function", pool.Options{Host: map[string]pool.HostFunc{"f": nil}}, `pool: option Host["f"] is <nil>; want a function`},
		{"Limits too small", pool.Options{Limits: pool.Limits{MemoryBytes: 1}}, "pool: option Limits.MemoryBytes is 1; want 65536 to 4294967296 bytes"},
		{"Limits negative", pool.Options{Limits: pool.Limits{ModuleBytes: -1}}, "pool: option Limits.ModuleBytes is -1; want 8 to 2147483647 bytes"},
		{"Limits of arguments", pool.Options{Limits: pool.Limits{InputBytes: 1}}, "pool: option Limits.InputBytes is 1; want 2 to 2147483647 bytes"},
		{"Limits of results", pool.Options{Limits: pool.Limits{OutputBytes: 1 << 40}}, "pool: option Limits.OutputBytes is 1099511627776; want 2 to 2147483647 bytes"},
		{"a module without a name", pool.Options{Modules: map[string]pool.Module{"": {Bytes: []byte("any")}}}, `pool: option Modules is ""; want names that are not empty`},
		{"Limits of processes", pool.Options{Limits: pool.Limits{ProcessBytes: 1, CompileBytes: -1}}, "pool: option Limits.CompileBytes is -1; want 67108864 to 1099511627776 bytes\npool: option Limits.ProcessBytes is 1; want 67108864 to 1099511627776 bytes"},
		{"Limits of open files", pool.Options{Limits: pool.Limits{OpenFiles: -1}}, "pool: option Limits.OpenFiles is -1; want 0 to 65536"},
		{"Limits of files", pool.Options{Limits: pool.Limits{FileBytes: -1}}, "pool: option Limits.FileBytes is -1; want 1 to 1099511627776 bytes"},
		{"a directory's path in the guest", dirs(pool.Dir{Guest: "data", Host: "."}), `pool: option Modules["m"].Dirs[0].Guest is "data"; want an absolute path as path.Clean leaves it, such as "/data"`},
		{"a directory's path that is not clean", dirs(pool.Dir{Guest: "/data/", Host: "."}), `pool: option Modules["m"].Dirs[0].Guest is "/data/"; want an absolute path as path.Clean leaves it, such as "/data"`},
		{"a directory's path twice", dirs(pool.Dir{Guest: "/d", Host: "a"}, pool.Dir{Guest: "/d", Host: "b"}), `pool: option Modules["m"].Dirs[1].Guest is "/d"; want each path once`},
		{"a directory that is nowhere", dirs(pool.Dir{Guest: "/d"}), `pool: option Modules["m"].Dirs[0].Host is ""; want the path of a directory`},
		{"too many directories", dirs(many...), `pool: option Modules["m"].Dirs is "65 directories"; want at most 64`},
		{"Limits of tables", pool.Options{Limits: pool.Limits{TableElements: -1}}, "pool: option Limits.TableElements is -1; want 0 to 10000000"},
		{"Limits of logs", pool.Options{Limits: pool.Limits{LogBytes: 1}}, "pool: option Limits.LogBytes is 1; want 1024 to 1073741824 bytes"},
		{"Limits of processor time", pool.Options{Limits: pool.Limits{ProcessorTime: -1}}, "pool: option Limits.ProcessorTime is -1ns; want zero or more"},
		{"Limits of resident memory", pool.Options{Limits: pool.Limits{ResidentBytes: 1}}, "pool: option Limits.ResidentBytes is 1; want 16777216 to 1099511627776 bytes"},
		{"no such transport", pool.Options{Transport: 2}, "pool: option Transport is transport 2; want SharedMemory or Socket"},
		{"too long a spin", pool.Options{Spin: time.Second}, "pool: option Spin is 1s; want at most 1ms"},
		{"no such sandbox", pool.Options{Sandbox: 3}, "pool: option Sandbox is sandbox 3; want Default, Strict or Off"},
		{"Limits of compiling", pool.Options{Limits: pool.Limits{CompileTime: -1}}, "pool: option Limits.CompileTime is -1ns; want zero or more"},
		{"a module without a source", pool.Options{Modules: map[string]pool.Module{"m": {}}}, `pool: option Modules["m"].Source is ""; want the path of a module, or its Bytes`},
		{"a module's digest", pool.Options{Modules: map[string]pool.Module{"m": {Source: "m", SHA256: "abc"}}}, `pool: option Modules["m"].SHA256 is "abc"; want 64 hexadecimal digits`},
		{"a module's shape", pool.Options{Modules: map[string]pool.Module{"m": {Source: "m", Shape: "oval"}}}, `pool: option Modules["m"].Shape is "oval"; want "reactor", "server" or "command"`},
		{"a module's concurrency", pool.Options{Modules: map[string]pool.Module{"m": {Source: "m", Concurrency: -3}}}, `pool: option Modules["m"].Concurrency is -3; want 0 to 1000`},
		{"a module's functions", pool.Options{Modules: map[string]pool.Module{"m": {Source: "m", Functions: []string{"_start"}}}}, `pool: option Modules["m"].Functions[0] is "_start"; want a name that may be called`},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			launcher := &pooltest.Launcher{}
			row.options.Launcher = launcher
			p, err := pool.New(row.options)
			if p != nil || err == nil || err.Error() != row.want {
				t.Errorf("New = %v, %v\nwant the error %q", p, err, row.want)
			}
			want(t, "the number of workers launched", len(launcher.Workers()), 0)
		})
	}
}

// One error names every bad field with its value, not only the first.
func TestNewNamesAllOptionsThatAreWrong(t *testing.T) {
	t.Parallel()
	var told []error
	_, err := pool.New(pool.Options{
		Max: -1, Strategy: 99, Full: -1, StopSignal: 100, MaxAge: -1,
		Modules: map[string]pool.Module{"m": {Bytes: []byte{0}, Limits: pool.Limits{InputBytes: -5}}},
		Events:  pool.Events{Error: func(err error) { told = append(told, err) }},
	})
	if err == nil {
		t.Fatal("New took options that are wrong")
	}
	want := []string{
		"pool: option Full is -1; want 1 to 1073741824",
		"pool: option Max is -1; want 1 to 2000",
		"pool: option MaxAge is -1ns; want zero or more",
		`pool: option Modules["m"].Limits.InputBytes is -5; want 2 to 2147483647 bytes`,
		"pool: option StopSignal is 100; want 1 to 64",
		"pool: option Strategy is strategy 99; want Fewest, Fill, RoundRobin or Random",
	}
	if diff := cmp.Diff(want, strings.Split(err.Error(), "\n")); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
	// The event "error" comes when the constructor fails.
	if len(told) != 1 || told[0].Error() != err.Error() {
		t.Errorf("Events.Error was told %v, want what New returned", told)
	}
}

// The bounds themselves are allowed.
func TestNewTakesTheBoundsOfItsOptions(t *testing.T) {
	bubble(t, func(t *testing.T) {
		for _, o := range []pool.Options{
			{Max: 1},
			{Max: 2_000, Spare: 0},
			{Min: 3},
			{Concurrency: 1000},
			{Full: 1},
			{StopSignal: 1},
			{StopSignal: 64},
			{Strategy: pool.Random},
			{QueueLimit: 1},
			{Seed: 1 << 63},
			{StartTimeout: 1},
			{CallTimeout: 1},
			{MaxCalls: 1},
			{IdleTimeout: -1},
			{StopTimeout: -1},
			{CancelGrace: -1},
			{MaxMemoryBytes: 1},
			{Limits: pool.Limits{MemoryBytes: 4 << 30}},
		} {
			o.Manual = true
			prepare(t, &o)
			if _, err := pool.New(o); err != nil {
				t.Errorf("New: %v", err)
			}
		}
	})
}

// Strategies have the names that the README of @jjavery/worker-pool gives them.
func TestStrategiesAreParsedByTheirNames(t *testing.T) {
	t.Parallel()
	for name, strategy := range map[string]pool.Strategy{
		"fewest": pool.Fewest, "fill": pool.Fill, "round-robin": pool.RoundRobin, "random": pool.Random,
	} {
		got, err := pool.ParseStrategy(name)
		if err != nil || got != strategy || got.String() != name {
			t.Errorf("ParseStrategy(%q) = %v, %v", name, got, err)
		}
	}
	_, err := pool.ParseStrategy("bogus")
	if err == nil || err.Error() != `pool: strategy "bogus": want fewest, fill, round-robin or random` {
		t.Errorf(`ParseStrategy("bogus"): %v`, err)
	}
}

// Defaults: Min 0, Max 3, the strategy fewest, one call at a time in a worker,
// and a start without being asked to.
func TestDefaultsAreNoWorkerUntilACallAndThreeAtMost(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{})
		want(t, "IsStarted", b.IsStarted(), true)
		b.wantLaunched(0)
		cs := b.calls(12, "hold")
		if diff := cmp.Diff([]int{4, 4, 4}, b.shares()); diff != "" {
			t.Errorf("calls in the workers (-want +got):\n%s", diff)
		}
		want(t, "Stats.Running", b.Stats().Running, 3)
		b.open()
		for _, c := range cs {
			c.ok()
		}
	})
}

// IdleTimeout is 10 s by default.
func TestDefaultOfIdleTimeoutIsTenSeconds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{})
		b.do("pid")
		pass(10*time.Second - 1)
		b.wantAlive(1)
		pass(1)
		b.wantAlive(0)
	})
}

// StopTimeout is 10 s by default, and StopSignal SIGTERM.
func TestDefaultOfStopTimeoutIsTenSecondsAndOfStopSignalTerm(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var signal int
		b := newBench(t, pool.Options{Min: 1, Launcher: &pooltest.Launcher{
			OnStop: func(ctx context.Context, _ *pooltest.Worker, s int) { signal = s; <-ctx.Done() },
		}})
		want(t, "the time of Stop", took(func() { _ = b.Stop(t.Context()) }), 10*time.Second)
		want(t, "the signal", signal, 15)
	})
}

// Full is 10 by default.
func TestDefaultOfFullIsTen(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Strategy: pool.Fill})
		b.inTurn(11, "hold")
		if diff := cmp.Diff([]int{10, 1}, b.shares()); diff != "" {
			t.Errorf("calls in the workers (-want +got):\n%s", diff)
		}
		b.open()
	})
}

// StartTimeout is 30 s by default, CancelGrace 500 ms.
func TestDefaultsOfStartTimeoutAndCancelGrace(t *testing.T) {
	bubble(t, func(t *testing.T) {
		never := slowly(time.Hour)
		o := pool.Options{Launcher: never}
		b := newBench(t, o)
		c := b.call(t.Context(), "pid")
		as[*pool.NotReadyError](t, c.failed())
		want(t, "the time of a start that never ends", c.took, 30*time.Second)

		b = newBench(t, pool.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		c = b.call(ctx, "stubborn", time.Hour)
		synctest.Wait()
		cancel()
		c.failed()
		pass(500*time.Millisecond - 1)
		b.wantAlive(1)
		pass(1)
		b.wantAlive(0)
	})
}

// Limits of arguments and results are 16 MiB, of modules 32 MiB, of memory
// 256 MiB; a module inherits what it does not set.
func TestAModuleInheritsWhatItDoesNotSet(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{
			Args: []string{"--verbose"}, Env: map[string]string{"A": "1"}, Fresh: true,
			Limits: pool.Limits{OutputBytes: 1 << 20}, Concurrency: 2,
			Modules: map[string]pool.Module{
				"a": {Bytes: []byte("a")},
				"b": {
					Bytes: []byte("b"), Args: []string{}, Env: map[string]string{"B": "2"}, Concurrency: 3,
					Functions: []string{"pid"}, Limits: pool.Limits{InputBytes: 1 << 10},
				},
			},
		})
		b.do("pid")
		b.callOf(t.Context(), "b", "pid").ok()
		got := []*pool.Assignment{b.alive()[0].Assignment(), b.alive()[1].Assignment()}
		want := []*pool.Assignment{
			{
				Module: "a", Source: []byte("a"), Args: []string{"--verbose"}, Env: map[string]string{"A": "1"}, Concurrency: 2, Fresh: true,
				SHA256: "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
				Limits: pool.Limits{MemoryBytes: 256 << 20, ModuleBytes: 32 << 20, InputBytes: 16 << 20, OutputBytes: 1 << 20, ProcessBytes: 512 << 20, CompileBytes: 2 << 30, TableElements: 1_000_000, LogBytes: 1 << 20, CompileTime: 2 * time.Minute, OpenFiles: 64, FileBytes: 64 << 20},
			},
			{
				Module: "b", Source: []byte("b"), Args: []string{}, Env: map[string]string{"B": "2"}, Concurrency: 3, Fresh: true,
				SHA256:    "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d",
				Functions: []string{"pid"},
				Limits:    pool.Limits{MemoryBytes: 256 << 20, ModuleBytes: 32 << 20, InputBytes: 1 << 10, OutputBytes: 1 << 20, ProcessBytes: 512 << 20, CompileBytes: 2 << 30, TableElements: 1_000_000, LogBytes: 1 << 20, CompileTime: 2 * time.Minute, OpenFiles: 64, FileBytes: 64 << 20},
			},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("assignments (-want +got):\n%s", diff)
		}
	})
}

// Options are copied: what a caller changes afterwards changes nothing.
func TestOptionsAreCopied(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := pool.Options{Args: []string{"one"}, Env: map[string]string{"A": "1"}, Preload: []string{"a"}, Modules: named("a"), Min: 1, Manual: true}
		b := newBench(t, o)
		o.Args[0], o.Env["A"], o.Preload[0] = "two", "2", "nowhere"
		delete(o.Modules, "a")
		if err := b.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		a := b.alive()[0].Assignment()
		if !slices.Equal(a.Args, []string{"one"}) || a.Env["A"] != "1" {
			t.Errorf("the worker was given %v and %v", a.Args, a.Env)
		}
	})
}
