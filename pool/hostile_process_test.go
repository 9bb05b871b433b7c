package pool_test

import (
	"context"
	"encoding/json"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wasmpool/wasmpool/pool"
	"github.com/wasmpool/wasmpool/testdata/wasm"
)

// The hostile suite is what a guest may try, each attack a row: the module, the
// limits that a user would set, and what the caller must be told. What must hold
// after every attack is in attack.run.
//
// Its tests do not run in parallel with others: they count what this process has
// open and holds.

// attack is what one module tries.
type attack struct {
	name      string
	module    []byte
	functions []string    // that are called in turn; nil: "attack"
	limits    pool.Limits // of the module
	options   pool.Options
	call      []pool.CallOption
	want      verdict // of each call
}

// again has an attack tried a second time.
var again = []string{"attack", "attack"}

// hostile plays attacks, one after the other.
func hostile(t *testing.T, attacks []attack) {
	t.Helper()
	// What the first pool of a program leaves is no leak.
	if _, err := start(t, pool.Options{Max: 1}).Call(within(t), "echo", "add", 1); err != nil {
		t.Fatal(err)
	}
	for _, a := range attacks {
		t.Run(a.name, a.run)
	}
}

// run plays the attack beside a call of another module, which is under way all
// the time: it must not be lost, its worker must answer at once, and nothing of
// the attack may stay in this process.
func (a attack) run(t *testing.T) {
	before := measure(t)
	var starts atomic.Int32
	n := newNeighbour(t)
	o := a.options
	o.Modules = map[string]pool.Module{
		"hostile": {Bytes: a.module, Limits: a.limits},
		"echo":    {Bytes: wasm.Module("echo"), Concurrency: 2, Host: n.host()},
	}
	o.Max = 2
	if o.CancelGrace == 0 {
		o.CancelGrace = 20 * time.Millisecond
	}
	if o.Logger == nil {
		o.Logger = quiet
	}
	o.Events.WorkerStarted = func(pool.WorkerInfo) { starts.Add(1) }
	p := start(t, o)
	n.begin(p)

	if a.functions == nil {
		a.functions = []string{"attack"}
	}
	for _, f := range a.functions {
		got, err := p.Proxy("hostile", f, a.call...)(within(t))
		if complaint := a.want(got, err); complaint != "" {
			t.Errorf("%s(): got %.200q, %.500v (%T)\nwant %s", f, got, err, err, complaint)
		}
	}

	if got, err := p.Call(within(t), "echo", "add", 1, 2); err != nil || string(got) != "3" {
		t.Errorf("add(1, 2) of another module = %s, %v, want 3", got, err)
	}
	n.end()
	before.compareMemory(t)
	if err := p.Stop(within(t)); err != nil {
		t.Error(err)
	}
	if got, most := int(starts.Load()), len(a.functions)+1; got > most {
		t.Errorf("%d workers were started, want at most %d: one for each attack, and the neighbour's", got, most)
	}
	before.compareRest(t)
}

// neighbour is a call of another module that is under way during an attack.
type neighbour struct {
	t       *testing.T
	entered chan struct{}
	release chan struct{}
	done    chan error
}

func newNeighbour(t *testing.T) *neighbour {
	return &neighbour{t: t, entered: make(chan struct{}), release: make(chan struct{}), done: make(chan error, 1)}
}

func (n *neighbour) host() map[string]pool.HostFunc {
	return map[string]pool.HostFunc{"hold": func(ctx context.Context, payload []byte) ([]byte, error) {
		close(n.entered)
		select {
		case <-n.release:
			return payload, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}}
}

// begin returns when the call is under way.
func (n *neighbour) begin(p *pool.Pool) {
	n.t.Helper()
	ctx := within(n.t)
	go func() {
		var got json.RawMessage
		var err error
		hold := p.Proxy("echo", "host", pool.Timeout(2*patience)) // whatever the pool's CallTimeout
		if got, err = hold(ctx, "hold", "held"); err == nil && string(got) != `"held"` {
			n.t.Errorf("the call beside the attack returned %s", got)
		}
		n.done <- err
	}()
	select {
	case <-n.entered:
	case err := <-n.done:
		n.t.Fatalf("the call beside the attack did not begin: %v", err)
	}
}

// end returns when the call has succeeded.
func (n *neighbour) end() {
	n.t.Helper()
	close(n.release)
	if err := <-n.done; err != nil {
		n.t.Errorf("the call beside the attack was lost: %v", err)
	}
}
