package guest

import (
	"context"
	"fmt"
	"slices"

	"github.com/wasmpool/wasmpool/abi"
)

// exported is what this program offers. It is filled while the program's init
// functions run and only read after that, like the routes of a mux.
var exported = registry{functions: map[string]function{}}

type registry struct {
	functions map[string]function
	onInit    []func() error
	onSignal  []func(int)
}

// function is what is exported under a name.
type function struct {
	// run returns the JSON of the result, or nil for null. The result may lie in
	// the scratch.
	run func(ctx context.Context, arguments []byte, s *scratch) ([]byte, error)

	// contextual says that run looks at its context, which has to be made then.
	contextual bool
}

// Export makes fn callable under name. Call it in an init function. It panics
// if the name is taken or not callable (see [abi.Callable]), or if fn is not a
// function of a type that can be called:
//
//   - Its arguments are whatever [encoding/json] can decode, as many as you like;
//     the last may be variadic. A [context.Context] may come first: it carries
//     the deadline and the cancellation of the call, and [FromContext] and
//     [Host] want it. A JSON null leaves an argument at its zero value.
//   - Its results are none, T, error, or (T, error), where T is whatever
//     encoding/json can encode. Without a T the result is null. Several results
//     before the error become one JSON array.
//
// A call with the wrong number or types of arguments fails with an [Error]
// named "ArgumentError", and fn is not called.
func Export(name string, fn any) {
	s, err := newSignature(fn)
	if err != nil {
		panic(fmt.Sprintf("guest: Export(%q): %v", name, err))
	}
	exported.add("Export", name, function{s.run, s.contextual})
}

// ExportRaw makes fn callable under name, like [Export], but leaves the bytes
// alone: fn gets the arguments as they came, usually a JSON array, and what it
// returns is the result, which should be JSON unless the callers agree on
// something else. A nil result is null.
//
// The arguments are valid until fn returns, and may be overwritten; the result
// may be a part of them.
func ExportRaw(name string, fn func(ctx context.Context, arguments []byte) ([]byte, error)) {
	if fn == nil {
		panic(fmt.Sprintf("guest: ExportRaw(%q): the function is nil", name))
	}
	exported.add("ExportRaw", name, function{
		run:        func(ctx context.Context, arguments []byte, _ *scratch) ([]byte, error) { return fn(ctx, arguments) },
		contextual: true,
	})
}

// OnInit adds a hook that runs once in each instance before its first call, in
// the order of adding. An error or panic keeps the instance from serving, and
// says why. Unlike a Go init function it may use [Log].
func OnInit(hook func() error) { exported.onInit = append(exported.onInit, hook) }

// OnSignal adds a hook that runs after the last call, when the worker is asked
// to stop, with the number of a POSIX signal. It has the rest of the pool's
// stop timeout.
func OnSignal(hook func(signal int)) { exported.onSignal = append(exported.onSignal, hook) }

func (r *registry) add(by, name string, f function) {
	if !abi.Callable(name) {
		panic(fmt.Sprintf("guest: %s(%q): a name is 1 to %d bytes of UTF-8 and begins neither with \"_\" nor with \"wasmpool_\"", by, name, abi.MaxNameBytes))
	}
	if _, taken := r.functions[name]; taken {
		panic(fmt.Sprintf("guest: %s(%q): the name is exported already", by, name))
	}
	r.functions[name] = f
}

// names returns the callable names, sorted.
func (r *registry) names() []string {
	names := make([]string, 0, len(r.functions))
	for name := range r.functions {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
