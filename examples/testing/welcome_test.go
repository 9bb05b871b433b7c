package welcome

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmpool/wasmpool/pool"
	"github.com/wasmpool/wasmpool/pool/pooltest"
)

// greeter returns a Greeter whose workers are a function of the test.
func greeter(t *testing.T, onCall func(context.Context, *pooltest.Call) (any, error)) *Greeter {
	t.Helper()
	p, err := pool.New(pool.Options{
		Launcher: &pooltest.Launcher{OnCall: onCall},
		Modules:  map[string]pool.Module{"greeter": {Bytes: []byte("not looked at")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return New(p, "greeter")
}

func TestGreetReturnsWhatTheWorkerSays(t *testing.T) {
	t.Parallel()
	g := greeter(t, pooltest.Functions(map[string]func(context.Context, []json.RawMessage) (any, error){
		"greet": func(_ context.Context, args []json.RawMessage) (any, error) {
			var name string
			err := json.Unmarshal(args[0], &name)
			return "Good day, " + name, err
		},
	}))
	if got, err := g.Greet(t.Context(), "Ada"); err != nil || got != "Good day, Ada" {
		t.Errorf("got %q, %v, want the worker's greeting", got, err)
	}
}

func TestGreetFailsWithTheWorker(t *testing.T) {
	t.Parallel()
	g := greeter(t, func(context.Context, *pooltest.Call) (any, error) {
		return nil, &pool.WorkerError{Name: "Rude", Message: "no"}
	})
	_, err := g.Greet(t.Context(), "Ada")
	var guest *pool.WorkerError
	if !errors.As(err, &guest) || guest.Name != "Rude" {
		t.Errorf("got %v, want the worker's error", err)
	}
}

// In a bubble of package synctest time is fake: the two seconds take no time.
func TestGreetIsPlainWhenTheWorkerTakesTooLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := greeter(t, func(ctx context.Context, _ *pooltest.Call) (any, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})
		begun := time.Now()
		got, err := g.Greet(t.Context(), "Ada")
		if err != nil || got != "Hello." {
			t.Errorf("got %q, %v, want the plain greeting", got, err)
		}
		if took := time.Since(begun); took != patience {
			t.Errorf("it took %v, want %v", took, patience)
		}
	})
}

// A worker that crashes takes the call with it that it runs.
func TestGreetTellsOfALostWorker(t *testing.T) {
	t.Parallel()
	g := greeter(t, func(ctx context.Context, c *pooltest.Call) (any, error) {
		c.Worker.Crash()
		<-ctx.Done()
		return nil, ctx.Err()
	})
	_, err := g.Greet(t.Context(), "Ada")
	var exit *pool.UnexpectedExitError
	if !errors.As(err, &exit) || !exit.Started {
		t.Errorf("got %v, want that the worker exited, and that the call may have run", err)
	}
}
