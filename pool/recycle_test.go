package pool_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmpool/wasmpool/pool"
	"github.com/wasmpool/wasmpool/pool/pooltest"
)

// Dir, Args and Env take effect with the next recycle: calls that begin after it
// see the new ones, and the recycle event comes just before it returns.
func TestRecycleBringsNewDirArgsAndEnv(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d := newDiary()
		b := newBench(t, pool.Options{
			Dir: file(t, "m.wasm", "old"), Args: []string{"--old"}, Env: map[string]string{"TOKEN": "old"},
			Modules: map[string]pool.Module{"a": {Source: "m.wasm"}}, Min: 1, Preload: []string{"a"},
			Events: pool.Events{Recycle: func() { d.note("recycle") }},
		})
		serves := func() string {
			a := b.alive()[0].Assignment()
			return fmt.Sprintf("%s %v %v", a.Source, a.Args, a.Env)
		}
		args, env := []string{"--new"}, map[string]string{"TOKEN": "new"}
		if err := errors.Join(b.SetDir(file(t, "m.wasm", "new")), b.SetArgs(args...), b.SetEnv(env)); err != nil {
			t.Fatal(err)
		}
		args[0], env["TOKEN"] = "--changed", "changed" // they are copied
		b.do("pid")
		want(t, "what serves before the recycle", serves(), "old [--old] map[TOKEN:old]")
		if err := b.Recycle(t.Context()); err != nil {
			t.Fatal(err)
		}
		d.note("Recycle returned")
		b.do("pid")
		want(t, "what serves after the recycle", serves(), "new [--new] map[TOKEN:new]")
		wantEqual(t, "events", d.all(), []string{"recycle", "Recycle returned"})
	})
}

// So they do with the next start.
func TestStartBringsNewDirArgsAndEnv(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Min: 1, Preload: []string{"a"}, Env: map[string]string{"TOKEN": "old"}})
		if err := errors.Join(b.SetEnv(map[string]string{"OTHER": "new"}), b.Stop(t.Context()), b.Start(t.Context())); err != nil {
			t.Fatal(err)
		}
		// Env replaces the environment: nothing of the old one is left, nor is
		// anything of this process's.
		want(t, "the environment", string(b.do("env")), `{"OTHER":"new"}`)
	})
}

// What is not fit for arguments or an environment is refused, and changes
// nothing.
func TestSettersRefuseWhatIsWrong(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Env: map[string]string{"A": "1"}})
		for _, row := range []struct {
			err  error
			want string
		}{
			{b.SetArgs("fine", "\x00"), `pool: option Args[1] is "\x00"; want an argument without NUL`},
			{b.SetEnv(map[string]string{"A=B": ""}), `pool: option Env is "A=B"; want names without '=' and NUL, that are not empty`},
		} {
			if row.err == nil || row.err.Error() != row.want {
				t.Errorf("error is %v, want %s", row.err, row.want)
			}
		}
		want(t, "the environment", string(b.do("env")), `{"A":"1"}`)
	})
}

// A worker started later, or respawned after a crash, keeps the set of settings
// of its generation: setting others changes it only with the next recycle.
func TestWorkersOfAGenerationHaveItsSettings(t *testing.T) {
	bubble(t, func(t *testing.T) {
		dir := file(t, "m.wasm", "old")
		b := newBench(t, pool.Options{
			Dir: dir, Env: map[string]string{"TOKEN": "old"}, Spare: 1,
			Modules: map[string]pool.Module{"a": {Source: "m.wasm"}},
		})
		b.do("pid")
		if err := errors.Join(
			b.SetEnv(map[string]string{"TOKEN": "new"}),
			os.WriteFile(filepath.Join(dir, "m.wasm"), []byte("new"), 0o600),
		); err != nil {
			t.Fatal(err)
		}
		as[*pool.UnexpectedExitError](t, b.call(t.Context(), "crash").failed())
		want(t, "the environment of a respawned worker", string(b.do("env")), `{"TOKEN":"old"}`)
		b.calls(3, "hold") // two of them start workers
		for _, w := range b.alive() {
			if a := w.Assignment(); a != nil && (string(a.Source) != "old" || a.Env["TOKEN"] != "old") {
				t.Errorf("worker %d serves %s with %v", w.PID(), a.Source, a.Env)
			}
		}
		b.open()
		if err := b.Recycle(t.Context()); err != nil {
			t.Fatal(err)
		}
		want(t, "the environment after the recycle", string(b.do("env")), `{"TOKEN":"new"}`)
		for _, w := range b.alive() {
			if a := w.Assignment(); a != nil {
				want(t, "the module, freshly read", string(a.Source), "new")
			}
		}
	})
}

// A worker that is started in the very step of the switch is of the new
// generation.
func TestAWorkerStartedAtTheSwitchHasTheNewSettings(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Max: 2, Env: map[string]string{"TOKEN": "old"}, Launcher: &pooltest.Launcher{
			OnLaunch: func(ctx context.Context, w *pooltest.Worker) error {
				if w.PID() == 1001 { // the second one is still coming at the switch
					return wait(ctx, 20*time.Second)
				}
				return nil
			},
		}})
		b.inTurn(2, "hold")
		cs := b.inTurn(4, "env")
		if err := b.SetEnv(map[string]string{"TOKEN": "new"}); err != nil {
			t.Fatal(err)
		}
		if err := b.Recycle(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.open()
		for _, c := range cs {
			want(t, "the environment of a call that began after the switch", string(c.ok()), `{"TOKEN":"new"}`)
		}
	})
}

// Recycle: new calls go to the new set at once; those that run end where they
// are, and no call fails.
func TestRecycleLosesNoCall(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Max: 2, IdleTimeout: -1, Env: map[string]string{"TOKEN": "old"}, Launcher: slowly(time.Second)})
		long := b.inTurn(2, "work", time.Minute)
		pass(2 * time.Second)
		old := b.alive()
		waiting := b.inTurn(20, "env")
		if err := b.SetEnv(map[string]string{"TOKEN": "new"}); err != nil {
			t.Fatal(err)
		}
		want(t, "the time of Recycle", took(func() {
			if err := b.Recycle(t.Context()); err != nil {
				t.Fatal(err)
			}
		}), time.Second)
		for _, c := range waiting {
			want(t, "a call that waited for the old set", string(c.ok()), `{"TOKEN":"new"}`)
		}
		want(t, "the time of a new call", took(func() { b.do("pid") }), 0)
		b.wantAlive(4) // twice Max while the old ones end
		for _, w := range old {
			want(t, "calls with an old worker", w.Has(), 1)
		}
		for _, c := range long {
			c.ok()
		}
		b.wantAlive(2)
		want(t, "Stats.Returned", b.Stats().Returned, b.Stats().Calls)
	})
}

// At least as many workers are ready as served before, when the switch comes;
// the old ones serve until then.
func TestRecycleReplacesAsManyWorkersAsServe(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Max: 4, Launcher: slowly(time.Second)})
		for _, c := range b.calls(3, "work", time.Second) {
			c.ok()
		}
		old := b.alive()
		recycled := make(chan error)
		go func() { recycled <- b.Recycle(t.Context()) }()
		pass(time.Second / 2)
		want(t, "the time of a call during the recycle", took(func() { b.do("pid") }), 0)
		if err := <-recycled; err != nil {
			t.Fatal(err)
		}
		b.wantAlive(3)
		for _, w := range old {
			want(t, "an old worker is alive", w.Alive(), false)
		}
		want(t, "the time of three calls", took(func() {
			for _, c := range b.calls(3, "work", time.Second) {
				c.ok()
			}
		}), time.Second)
		b.wantLaunched(6)
	})
}

// A module that no longer loads makes Recycle fail, and the old set serve on,
// with its settings.
func TestAFailedRecycleLeavesTheOldSetServing(t *testing.T) {
	for name, broken := range map[string]func(ctx context.Context) error{
		"at once":         func(context.Context) error { return errors.New("broken") },
		"after a while":   func(ctx context.Context) error { _ = wait(ctx, time.Second); return errors.New("broken") },
		"after a timeout": func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				var bad atomic.Bool
				b := newBench(t, pool.Options{
					Min: 2, Preload: []string{"a"}, Env: map[string]string{"TOKEN": "old"},
					Launcher: &pooltest.Launcher{OnLoad: func(ctx context.Context, w *pooltest.Worker) error {
						if bad.Load() && w.Assignment().Env["TOKEN"] == "new" {
							return broken(ctx)
						}
						return nil
					}},
				})
				bad.Store(true)
				if err := b.SetEnv(map[string]string{"TOKEN": "new"}); err != nil {
					t.Fatal(err)
				}
				for range 3 {
					as[*pool.NotReadyError](t, b.Recycle(t.Context()))
					b.wantAlive(2)
					want(t, "the environment", string(b.do("env")), `{"TOKEN":"old"}`)
				}
				b.alive()[0].Crash()
				synctest.Wait()
				for _, w := range b.alive() {
					if a := w.Assignment(); a != nil {
						want(t, "the environment of a worker", a.Env["TOKEN"], "old")
					}
				}
				bad.Store(false)
				if err := b.Recycle(t.Context()); err != nil {
					t.Fatal(err)
				}
				want(t, "the environment", string(b.do("env")), `{"TOKEN":"new"}`)
			})
		})
	}
}

// A module file that has gone missing makes Recycle fail with its error, too.
func TestARecycleWithoutTheModuleSaysSo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Dir: file(t, "m.wasm", "x"), Modules: map[string]pool.Module{"a": {Source: "m.wasm"}}})
		b.do("pid")
		if err := b.SetDir(t.TempDir()); err != nil {
			t.Fatal(err)
		}
		err := b.Recycle(t.Context())
		as[*pool.ModuleError](t, err)
		wantIs(t, err, os.ErrNotExist)
		b.do("pid")
		b.wantAlive(1)
	})
}

// Recycle whose context ends is given up: the old set serves on, and nothing of
// the new one is left.
func TestARecycleWhoseContextEndsIsGivenUp(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Min: 1, Preload: []string{"a"}, Launcher: slowly(10 * time.Second)})
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
		defer cancel()
		want(t, "the time of Recycle", took(func() {
			if err := b.Recycle(ctx); err != context.DeadlineExceeded { //nolint:errorlint // it is to come back as it is
				t.Errorf("Recycle: %v, want the context's own error", err)
			}
		}), 4*time.Second)
		b.wantAlive(1)
		want(t, "ProcessCount", b.ProcessCount(), 1)
		want(t, "the time of a call", took(func() { b.do("pid") }), 0)
	})
}

// A stop during a recycle ends both.
func TestAStopDuringARecycleEndsBoth(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Min: 2, Launcher: slowly(10 * time.Second)})
		recycled := make(chan error)
		go func() { recycled <- b.Recycle(t.Context()) }()
		pass(time.Second)
		want(t, "the time of Stop", took(func() {
			if err := b.Stop(t.Context()); err != nil {
				t.Error(err)
			}
		}), 0)
		wantIs(t, <-recycled, pool.ErrStopped)
		b.wantAlive(0)
	})
}

// A worker of the new set that is lost before the switch is started anew.
func TestACrashDuringARecycleIsMadeGood(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Min: 2, Preload: []string{"a"}, Launcher: oneByOne(time.Second)})
		recycled := make(chan error)
		go func() { recycled <- b.Recycle(t.Context()) }()
		pass(3500 * time.Millisecond) // the third worker is ready, the fourth is not
		b.launcher.Workers()[2].Crash()
		if err := <-recycled; err != nil {
			t.Error(err)
		}
		b.wantAlive(2)
		b.do("pid")
	})
}

// Two recycles at once come one after the other.
func TestRecyclesDoNotMix(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Min: 1, Launcher: slowly(time.Second)})
		errs := make(chan error, 2)
		want(t, "the time", took(func() {
			for range cap(errs) {
				go func() { errs <- b.Recycle(t.Context()) }()
			}
			for range cap(errs) {
				if err := <-errs; err != nil {
					t.Error(err)
				}
			}
		}), 2*time.Second)
		b.wantLaunched(3)
	})
}

// A recycle leaks nothing: after a hundred there are as many goroutines as
// before, and no worker of before.
func TestAHundredRecyclesLeakNothing(t *testing.T) {
	// Not parallel: it counts goroutines. The bubble's own end counts them again.
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Min: 3, Max: 3, Preload: []string{"a"}})
		if err := b.Recycle(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		before := runtime.NumGoroutine()
		for range 100 {
			b.do("pid")
			if err := b.Recycle(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		b.wantAlive(3)
		// Some of the runtime's may have come; one for each recycle would be 100.
		if n := runtime.NumGoroutine(); n > before+20 {
			t.Errorf("there are %d goroutines, %d before", n, before)
		}
		if diff := cmp.Diff(3, len(b.Stats().Workers)); diff != "" {
			t.Errorf("workers that the pool knows (-want +got):\n%s", diff)
		}
	})
}
