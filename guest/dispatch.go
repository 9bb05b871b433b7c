package guest

import (
	"context"
	"encoding/json"

	"github.com/wasmpool/wasmpool/abi"
	"github.com/wasmpool/wasmpool/guest/internal/border"
)

// What wasmpool_call returns.
const (
	returned = 0
	failed   = 1
	notFound = 2
)

// Exports returns what a host calls of this program. It is how package
// guesttest reaches it; other code has no use for it. Exports of the same host
// serve one call at a time.
func Exports(host border.Host) border.Exports { return &dispatcher{host: host} }

// dispatcher serves the exports that the ABI names, one at a time.
type dispatcher struct {
	host    border.Host
	name    [abi.MaxNameBytes]byte
	scratch scratch
}

// Call serves wasmpool_call.
func (d *dispatcher) Call() int32 {
	n := d.host.Function(d.name[:])
	if n > len(d.name) {
		return notFound
	}
	f, ok := exported.functions[string(d.name[:n])]
	if !ok {
		return notFound
	}
	defer d.scratch.rest()
	return d.guarded(func() error { return d.run(f) })
}

func (d *dispatcher) run(f function) error {
	ctx := context.Background()
	if f.contextual {
		c := newCallContext(d.host)
		defer c.finish()
		ctx = c
	}
	d.scratch.input = border.ReadAll(d.host.Input, d.scratch.input)
	result, err := f.run(ctx, d.scratch.input, &d.scratch)
	if err != nil {
		return err
	}
	if result != nil {
		d.host.Output(result)
	}
	return nil
}

// Functions serves wasmpool_functions.
func (d *dispatcher) Functions() int32 {
	return d.guarded(func() error {
		names, err := json.Marshal(exported.names())
		if err == nil {
			d.host.Output(names)
		}
		return err
	})
}

// Init serves wasmpool_init.
func (d *dispatcher) Init() int32 {
	for _, hook := range exported.onInit {
		if status := d.guarded(hook); status != returned {
			return status
		}
	}
	return returned
}

// Signal serves wasmpool_signal. A hook that panics is logged, and the others
// run.
func (d *dispatcher) Signal(number int32) {
	for _, hook := range exported.onSignal {
		d.guarded(func() error {
			hook(int(number))
			return nil
		})
	}
}

// guarded runs f and reports how it ended to the host, a panic too: to recover
// keeps the instance, and everything that it holds, in use.
func (d *dispatcher) guarded(f func() error) (status int32) {
	defer func() {
		if value := recover(); value != nil {
			d.host.Fail(payload(panicked(value)))
			status = failed
		}
	}()
	if err := f(); err != nil {
		d.host.Fail(payload(err))
		return failed
	}
	return returned
}
