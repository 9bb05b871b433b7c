package pool

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/wasmpool/wasmpool/abi"
	"github.com/wasmpool/wasmpool/subprocess"
)

// HostFunc is a function of this process that guests may call. It gets the
// guest's bytes, which nobody has looked at, and returns the reply. An error
// reaches the guest: as it is when it is a *[WorkerError], else by its text.
//
// Each call has a goroutine of its own. The context ends with the guest's call,
// and with its process. A call into the pool made with it never waits for a
// worker: it fails with [ErrNested] instead.
type HostFunc func(ctx context.Context, payload []byte) ([]byte, error)

// HostJSON makes a host function of one whose argument and result are encoded
// as JSON.
func HostJSON[In, Out any](f func(ctx context.Context, in In) (Out, error)) HostFunc {
	return func(ctx context.Context, payload []byte) ([]byte, error) {
		var in In
		if err := json.Unmarshal(payload, &in); err != nil {
			return nil, fmt.Errorf("the argument does not fit: %w", err)
		}
		out, err := f(ctx, in)
		if err != nil {
			return nil, err
		}
		return json.Marshal(out)
	}
}

// runHost runs a host function. One that panics has failed, and is told of.
func (p *Pool) runHost(ctx context.Context, request subprocess.HostRequest, f HostFunc) (reply []byte, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("host function %q panicked", request.Name)
			p.errorEvent(fmt.Errorf("pool: host function %q panicked: %v\n%s", request.Name, v, debug.Stack()))
		}
	}()
	return f(ctx, request.Payload)
}

// hostError is what a guest reads of an error of a host function.
func hostError(err error) []byte {
	e := &abi.Error{Name: "HostError", Message: err.Error()}
	var given *WorkerError
	if errors.As(err, &given) {
		e = &abi.Error{Name: given.Name, Message: given.Message, Data: given.Data, Extra: given.Extra}
	}
	b, err := json.Marshal(e)
	if err != nil { // Data or Extra that are not JSON
		b, _ = json.Marshal(&abi.Error{Name: e.Name, Message: e.Message})
	}
	return b
}
