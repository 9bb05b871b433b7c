package pool_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmpool/wasmpool/abi"
	"github.com/wasmpool/wasmpool/pool"
	"github.com/wasmpool/wasmpool/pool/pooltest"
	"github.com/wasmpool/wasmpool/subprocess"
)

// The sentinels are told apart, but for a stopped pool, which is not started.
func TestSentinelsAreToldApart(t *testing.T) {
	t.Parallel()
	all := []error{pool.ErrNotStarted, pool.ErrStopped, pool.ErrQueueFull, pool.ErrNested}
	texts := []string{
		"pool: not started", "pool: stopped", "pool: queue full",
		"pool: nested call would have to wait for a worker",
	}
	for i, a := range all {
		want(t, "the text", a.Error(), texts[i])
		for j, b := range all {
			is := i == j || i == 1 && j == 0
			if errors.Is(a, b) != is {
				t.Errorf("errors.Is(%v, %v) = %v", a, b, !is)
			}
		}
	}
}

// failing is a pool whose only function fails like this.
func failing(t *testing.T, err error) *bench {
	t.Helper()
	return newBench(t, pool.Options{Launcher: &pooltest.Launcher{
		OnCall: func(context.Context, *pooltest.Call) (any, error) { return nil, err },
	}})
}

// Guest errors keep name, message and stack, and lose neither data nor custom
// members.
func TestAGuestErrorKeepsAllItsMembers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		thrown := &pool.WorkerError{
			Name: "RangeError", Message: "42 is too much", Stack: "at f\nat g", Data: json.RawMessage(`{"limit":41}`),
			Extra: map[string]json.RawMessage{"code": json.RawMessage(`"E_RANGE"`), "cause": json.RawMessage(`{"message":"why"}`)},
		}
		b := failing(t, thrown)
		_, err := b.Call(t.Context(), "a", "f", 42)
		want(t, "the text", err.Error(), `pool: call "f": RangeError: 42 is too much`)
		expected := *thrown
		expected.Module, expected.Function, expected.Code = "a", "f", abi.Failed
		if diff := cmp.Diff(&expected, as[*pool.WorkerError](t, err)); diff != "" {
			t.Errorf("error (-want +got):\n%s", diff)
		}
		want(t, "Stats.Failed", b.Stats().Failed, 1)
	})
}

// Whatever a guest throws is an error, also nothing at all.
func TestThrowingNothingIsAFailure(t *testing.T) {
	bubble(t, func(t *testing.T) {
		for thrown, message := range map[string]string{
			"": "", "null": "null", "undefined": "undefined", "42": "42", `"text"`: `"text"`, `{}`: `{}`, "{\"message\":null}": `{"message":null}`, "\xff": "\uFFFD",
		} {
			b := failing(t, errors.New(thrown))
			_, err := b.Call(t.Context(), "a", "f")
			if err == nil {
				t.Errorf("throwing %q counts as success", thrown)
				continue
			}
			e := as[*pool.WorkerError](t, err)
			want(t, "the message of "+thrown, e.Message, message)
			want(t, "the code of "+thrown, e.Code, abi.Failed)
		}
	})
}

// A missing function is a worker error that names it; inherited and internal
// names cannot be called, and no worker is asked.
func TestAMissingFunctionIsNamed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{})
		_, err := b.Call(t.Context(), "a", "nosuch")
		e := as[*pool.WorkerError](t, err)
		want(t, "the text", err.Error(), `pool: call "nosuch": FunctionNotFound: no function nosuch`)
		want(t, "the code", e.Code, abi.NotFound)
		for _, name := range []string{"", "_start", "__proto__", "wasmpool_init", "\xff"} {
			_, err := b.Call(t.Context(), "a", name)
			e := as[*pool.WorkerError](t, err)
			want(t, "the name", e.Name, "FunctionNotFound")
			want(t, "the text", err.Error(), fmt.Sprintf("pool: call %q: FunctionNotFound: %q cannot be the name of a worker function", name, name))
		}
		want(t, "the calls that the pool saw", b.Stats().Calls, 1)
	})
}

// A result that is not JSON is the guest's fault, and CallRaw takes it.
func TestAResultThatIsNotJSONIsAWorkerError(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Launcher: &pooltest.Launcher{OnCall: func(context.Context, *pooltest.Call) (any, error) {
			return pooltest.Raw("<html>"), nil
		}}})
		_, err := b.Call(t.Context(), "a", "f")
		want(t, "the name", as[*pool.WorkerError](t, err).Name, "InvalidResult")
		want(t, "the text", err.Error(), `pool: call "f": InvalidResult: the result is not JSON: "<html>"; CallRaw takes any bytes`)
		raw, err := b.CallRaw(t.Context(), "a", "f", nil)
		if err != nil || string(raw) != "<html>" {
			t.Errorf("CallRaw = %s, %v", raw, err)
		}
	})
}

// A trap is a worker error with a code of its own.
func TestATrapIsAWorkerErrorWithItsCode(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Launcher: &pooltest.Launcher{OnCall: func(context.Context, *pooltest.Call) (any, error) {
			return nil, &pool.WorkerError{Code: abi.Trapped, Name: "Trap", Message: "unreachable"}
		}}})
		_, err := b.Call(t.Context(), "a", "f")
		e := as[*pool.WorkerError](t, err)
		want(t, "the code of a trap", e.Code, abi.Trapped)
		want(t, "the text", err.Error(), `pool: call "f": Trap: unreachable`)
	})
}

// The unexpected-exit error carries the process, how it ended, and its last
// words.
func TestAnUnexpectedExitSaysHowTheProcessEnded(t *testing.T) {
	for _, row := range []struct {
		exit subprocess.Exit
		want string
	}{
		{subprocess.Exit{Code: 3, Stderr: "out of luck\n"}, `pool: call "f": worker 1000 exited before replying (exit code 3)`},
		{subprocess.Exit{Code: 0}, `pool: call "f": worker 1000 exited before replying (exit code 0)`},
		{subprocess.Exit{Code: -1, Signal: syscall.SIGSEGV, Stderr: "x"}, `pool: call "f": worker 1000 exited before replying (signal: segmentation fault)`},
	} {
		t.Run(row.exit.String(), func(t *testing.T) { exits(t, row.exit, row.want) })
	}
}

func exits(t *testing.T, exit subprocess.Exit, text string) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Launcher: &pooltest.Launcher{OnCall: func(_ context.Context, c *pooltest.Call) (any, error) {
			c.Worker.CrashWith(exit)
			return nil, nil
		}}})
		_, err := b.Call(t.Context(), "a", "f")
		want(t, "the text", err.Error(), text)
		signal := ""
		if exit.Signal != nil {
			signal = exit.Signal.String()
		}
		expected := &pool.UnexpectedExitError{Module: "a", Function: "f", PID: 1000, Code: exit.Code, Signal: signal, Stderr: exit.Stderr, Started: true}
		if diff := cmp.Diff(expected, as[*pool.UnexpectedExitError](t, err)); diff != "" {
			t.Errorf("error (-want +got):\n%s", diff)
		}
		want(t, "Stats.Lost", b.Stats().Lost, 1)
		want(t, "Stats.WorkersLost", b.Stats().WorkersLost, 1)
	})
}

// An exit that the pool brought about says why.
func TestAnUnexpectedExitSaysWhyThePoolEndedTheProcess(t *testing.T) {
	t.Parallel()
	because := errors.New("another call did not end")
	err := error(&pool.UnexpectedExitError{Function: "f", PID: 7, Code: -1, Signal: "killed", Because: because})
	want(t, "the text", err.Error(), `pool: call "f": worker 7 exited before replying (signal: killed): another call did not end`)
	wantIs(t, err, because)
}

// A worker that does not become ready is told with its last words, and with
// what went wrong underneath.
func TestNotReadySaysWhatWentWrong(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Launcher: &pooltest.Launcher{OnLoad: func(ctx context.Context, w *pooltest.Worker) error {
			w.CrashWith(subprocess.Exit{Code: 2, Stderr: "panic: no luck\n"})
			<-ctx.Done()
			return ctx.Err()
		}}})
		_, err := b.Call(t.Context(), "a", "f")
		e := as[*pool.NotReadyError](t, err)
		want(t, "the module", e.Module, "a")
		want(t, "the exit code", e.Exit.Code, 2)
		want(t, "the process", e.Exit.PID, 1000)
		want(t, "the last words", e.Exit.Stderr, "panic: no luck\n")
		want(t, "Stats.Refused", b.Stats().Refused, 1)

		text := (&pool.NotReadyError{Module: "a", Err: errors.New("exit code 2"), Exit: e.Exit}).Error()
		want(t, "the text", text, `pool: worker for "a" did not become ready: exit code 2; its last words: "panic: no luck"`)
	})
}

// So is one that was prestarted, and adopted its module.
func TestNotReadySaysWhatWentWrongWithAnAdoptedWorker(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d := newDiary()
		b := newBench(t, pool.Options{Min: 1, Max: 1, Launcher: &pooltest.Launcher{OnLoad: func(ctx context.Context, w *pooltest.Worker) error {
			w.CrashWith(subprocess.Exit{Code: 2})
			<-ctx.Done()
			return ctx.Err()
		}}, Events: pool.Events{WorkerExited: func(e pool.WorkerExit) { d.note("exited %d %v", e.ID, e.Err != nil) }}})
		_, err := b.Call(t.Context(), "a", "f")
		e := as[*pool.NotReadyError](t, err)
		want(t, "the module", e.Module, "a")
		want(t, "the exit code", e.Exit.Code, 2)
		pass(0)
		wantEqual(t, "events", d.all(), []string{"exited 1 true"})
	})
}

// A process that does not signal that it is ready in time is ended, and the
// error says so.
func TestNotReadyInTimeIsToldAndEnded(t *testing.T) {
	for name, launcher := range map[string]*pooltest.Launcher{
		"launch": {OnLaunch: func(ctx context.Context, _ *pooltest.Worker) error { <-ctx.Done(); return ctx.Err() }},
		"load":   {OnLoad: func(ctx context.Context, _ *pooltest.Worker) error { <-ctx.Done(); return ctx.Err() }},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := newBench(t, pool.Options{StartTimeout: 4 * time.Second, Launcher: launcher})
				c := b.call(t.Context(), "f")
				err := c.failed()
				want(t, "the time", c.took, 4*time.Second)
				want(t, "the text", err.Error(), `pool: worker for "a" did not become ready: it was not ready within StartTimeout`)
				as[*pool.NotReadyError](t, err)
				b.wantAlive(0)
			})
		})
	}
}

// A module that is at fault is told apart from a process that is.
func TestAModuleAtFaultIsAModuleError(t *testing.T) {
	for name, refusal := range map[string]error{
		"of the child":    &subprocess.Refusal{Fault: abi.UnknownImport, Message: `env.nosuch`},
		"of the launcher": &pool.ModuleError{Module: "a", Fault: abi.UnknownImport, Message: "env.nosuch"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := newBench(t, pool.Options{Launcher: &pooltest.Launcher{OnLoad: func(context.Context, *pooltest.Worker) error { return refusal }}})
				_, err := b.Call(t.Context(), "a", "f")
				e := as[*pool.ModuleError](t, err)
				want(t, "the module", e.Module, "a")
				want(t, "the fault", e.Fault, abi.UnknownImport)
				want(t, "the text", err.Error(), `pool: module "a": unknown import: env.nosuch`)
				b.wantAlive(0)
			})
		})
	}
}

// A module that is not the one that was asked for, or too large, is refused.
func TestAModuleIsCheckedBeforeItIsLoaded(t *testing.T) {
	for _, row := range []struct {
		name   string
		module pool.Module
		want   string
	}{
		{
			"digest",
			pool.Module{Bytes: []byte("a"), SHA256: "3E23E8160039594A33894F6564E1B1348BBD7A0088D42C4ACB73EEAED59C009D"},
			`pool: module "m": wrong digest: its SHA-256 is ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb; want 3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d`,
		},
		{
			"bytes",
			pool.Module{Bytes: make([]byte, 100), Limits: pool.Limits{ModuleBytes: 99}},
			`pool: module "m": too large: it is larger than the limit of 99 bytes (Limits.ModuleBytes)`,
		},
		{
			"file",
			pool.Module{Source: "errors_test.go", Limits: pool.Limits{ModuleBytes: 99}},
			`pool: module "m": too large: it is larger than the limit of 99 bytes (Limits.ModuleBytes)`,
		},
		{
			"device",
			pool.Module{Source: "/dev/zero"},
			`pool: module "m": not found: /dev/zero is not a regular file`,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := newBench(t, pool.Options{Modules: map[string]pool.Module{"m": row.module}})
				_, err := b.Call(t.Context(), "m", "pid")
				as[*pool.ModuleError](t, err)
				want(t, "the text", err.Error(), row.want)
				b.wantAlive(0)
			})
		})
	}
	t.Run("the right digest", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			b := newBench(t, pool.Options{Modules: map[string]pool.Module{
				"m": {Bytes: []byte("a"), SHA256: "CA978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"},
			}})
			b.callOf(t.Context(), "m", "pid").ok()
		})
	})
}

// A limit that a guest exceeded is told with its value; a limit of time is a
// deadline, others are not.
func TestALimitIsToldWithItsValue(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := failing(t, &pool.LimitError{Limit: "output", Value: 1024, Unit: "bytes"})
		_, err := b.Call(t.Context(), "a", "f")
		want(t, "the text", err.Error(), `pool: call "f": output exceeds its limit of 1024 bytes`)
		e := as[*pool.LimitError](t, err)
		if diff := cmp.Diff(&pool.LimitError{Module: "a", Function: "f", Limit: "output", Value: 1024, Unit: "bytes"}, e); diff != "" {
			t.Errorf("error (-want +got):\n%s", diff)
		}
		if errors.Is(err, context.DeadlineExceeded) {
			t.Error("a limit in bytes is a deadline")
		}
		err = &pool.LimitError{Function: "f", Limit: "run time", Value: int64(1500 * time.Millisecond), Unit: "ns"}
		want(t, "the text", err.Error(), `pool: call "f": run time exceeds its limit of 1.5s`)
		wantIs(t, err, context.DeadlineExceeded)
	})
}
