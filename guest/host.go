package guest

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/wasmpool/wasmpool/abi"
	"github.com/wasmpool/wasmpool/guest/internal/border"
)

// Host calls a function of the host that the user of the pool has granted to
// this worker. It sends in, as JSON, and decodes the reply into what out points
// to, unless out is nil or the reply is empty. It blocks the whole instance until the reply is there.
//
// Errors: an [*Error] is what the function failed with; a [*NotGrantedError]
// says that there is none of this name, or that ctx belongs to no call;
// [context.Canceled] is wrapped in the error of a call that was cancelled.
func Host(ctx context.Context, name string, in, out any) error {
	arguments, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("guest: host function %q: what is sent: %w", name, err)
	}
	host := hostOf(ctx)
	switch status := host.Host(name, arguments); {
	case status >= 0:
	case status == abi.HostFailed:
		return hostError(border.ReadAll(host.Reply, nil))
	case status == abi.HostNotFound:
		return &NotGrantedError{Name: name}
	case status == abi.HostCancelled:
		return fmt.Errorf("guest: host function %q: %w", name, context.Canceled)
	default:
		return fmt.Errorf("guest: host function %q: unknown status %d", name, status)
	}
	reply := border.ReadAll(host.Reply, nil)
	if out == nil || len(reply) == 0 {
		return nil
	}
	if err := json.Unmarshal(reply, out); err != nil {
		return fmt.Errorf("guest: host function %q: its reply: %w", name, err)
	}
	return nil
}
