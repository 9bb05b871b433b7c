package pool_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/wasmpool/wasmpool/abi"
	"github.com/wasmpool/wasmpool/pool"
)

// verdict says what is wanted instead of how a call ended, or nothing when that
// is what is wanted.
type verdict func(got json.RawMessage, err error) string

// judge makes a verdict of a sentence and the condition that it is so.
func judge(is func(got json.RawMessage, err error) bool, format string, args ...any) verdict {
	return func(got json.RawMessage, err error) string {
		if is(got, err) {
			return ""
		}
		return fmt.Sprintf(format, args...)
	}
}

// returns: the call succeeds, with a result.
func returns(want string) verdict {
	return judge(func(got json.RawMessage, err error) bool {
		return err == nil && string(got) == want
	}, "the result %.200s", want)
}

// refused: there will be no worker, by a fault of the module.
func refused(fault abi.Fault, says string) verdict {
	return judge(func(_ json.RawMessage, err error) bool {
		var e *pool.ModuleError
		return errors.As(err, &e) && e.Module == "hostile" && e.Fault == fault && strings.Contains(e.Message, says)
	}, "a ModuleError with fault %q that says %q", fault, says)
}

// refusedAs is refused where more than one fault is right.
func refusedAs(faults ...abi.Fault) verdict {
	return func(got json.RawMessage, err error) string {
		for _, fault := range faults {
			if refused(fault, "")(got, err) == "" {
				return ""
			}
		}
		return fmt.Sprintf("a ModuleError with one of the faults %q", faults)
	}
}

// notReady: there is no worker in time.
func notReady(says string) verdict {
	return judge(func(_ json.RawMessage, err error) bool {
		var e *pool.NotReadyError
		return errors.As(err, &e) && e.Module == "hostile" && strings.Contains(err.Error(), says)
	}, "a NotReadyError that says %q", says)
}

// fails: the call ended with an error of the guest, or of its sandbox.
func fails(code abi.Code, name, says string) verdict {
	return judge(func(_ json.RawMessage, err error) bool {
		var e *pool.WorkerError
		return errors.As(err, &e) && e.Code == code && e.Name == name && strings.Contains(e.Message, says)
	}, "a WorkerError of code %v named %q that says %q", code, name, says)
}

// traps: the sandbox has ended the call.
func traps(says string) verdict { return fails(abi.Trapped, "Trap", says) }

// limited: the call exceeded a limit of payloads.
func limited(limit string, value int64) verdict {
	return judge(func(_ json.RawMessage, err error) bool {
		var e *pool.LimitError
		return errors.As(err, &e) && e.Limit == limit && e.Value == value
	}, "a LimitError of %q, %d", limit, value)
}

// late: the call had not ended in time.
func late() verdict {
	return judge(func(_ json.RawMessage, err error) bool {
		return errors.Is(err, context.DeadlineExceeded)
	}, "a deadline exceeded")
}

// either is one of two verdicts.
func either(a, b verdict) verdict {
	return func(got json.RawMessage, err error) string {
		one, other := a(got, err), b(got, err)
		if one == "" || other == "" {
			return ""
		}
		return one + ", or " + other
	}
}
