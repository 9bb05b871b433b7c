package isolate

import (
	"slices"
	"strings"

	"github.com/wasmpool/wasmpool/abi"
	"github.com/wasmpool/wasmpool/isolate/engine"
)

// reactorHint says how to build what a command should have been.
const reactorHint = `build it as a reactor (Go: GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared; ` +
	`C and C++: -mexec-model=reactor; Rust: crate-type = ["cdylib"])`

// shape tells how a module serves calls; what is set wins.
func (x *Isolate) shape(d engine.Description) (abi.Shape, error) {
	if x.settings.Shape != "" {
		return x.settings.Shape, nil
	}
	_, start := find(d.Exports, abi.ExportStart)
	_, dispatches := find(d.Exports, abi.ExportCall)
	imports := slices.ContainsFunc(d.Imports, func(f engine.Func) bool { return f.Module == abi.Module })
	callable := slices.ContainsFunc(d.Exports, isFunction)
	switch {
	case start && imports:
		return "", x.invalid(abi.WrongShape, "exports _start, and imports from %q as reactors do: %s", abi.Module, reactorHint)
	case start && dispatches:
		return "", x.invalid(abi.WrongShape, "exports _start, and %s as reactors do: %s", abi.ExportCall, reactorHint)
	case start:
		return abi.Server, nil
	case imports || dispatches || callable:
		return abi.Reactor, nil
	}
	return "", x.invalid(abi.WrongShape, "has neither _start nor a function that can be called: "+
		"of type () -> i32, with a name that begins with neither _ nor wasmpool_; it exports %s", exportList(d.Exports))
}

// checkReactor checks the exports that the ABI names.
func (x *Isolate) checkReactor(d engine.Description) error {
	x.exports = make(map[string]bool)
	for _, want := range []struct {
		name            string
		params, results []string
	}{
		{abi.ExportCall, nil, []string{"i32"}},
		{abi.ExportFunctions, nil, []string{"i32"}},
		{abi.ExportInit, nil, []string{"i32"}},
		{abi.ExportSignal, []string{"i32"}, nil},
		{abi.ExportInitialize, nil, nil},
	} {
		f, ok := find(d.Exports, want.name)
		if !ok {
			continue
		}
		if !slices.Equal(f.Params, want.params) || !slices.Equal(f.Results, want.results) {
			return x.invalid(abi.WrongShape, "exports %s with type %s, want %s",
				want.name, signature(f), signature(engine.Func{Params: want.params, Results: want.results}))
		}
		x.exports[want.name] = true
	}
	if d.Memory == nil {
		return x.invalid(abi.WrongShape, "exports no memory named %q", abi.ExportMemory)
	}
	return nil
}

func find(functions []engine.Func, name string) (engine.Func, bool) {
	i := slices.IndexFunc(functions, func(f engine.Func) bool { return f.Name == name })
	if i < 0 {
		return engine.Func{}, false
	}
	return functions[i], true
}

// isFunction reports whether an export is a worker function of its own.
func isFunction(f engine.Func) bool {
	return abi.Callable(f.Name) && len(f.Params) == 0 && len(f.Results) == 1 && f.Results[0] == "i32"
}

func signature(f engine.Func) string {
	return clip("(" + strings.Join(f.Params, ", ") + ") -> (" + strings.Join(f.Results, ", ") + ")")
}

func exportList(exports []engine.Func) string {
	var texts []string
	for _, f := range exports {
		texts = append(texts, clip(f.Name)+" "+signature(f))
	}
	return enumerate(texts)
}
