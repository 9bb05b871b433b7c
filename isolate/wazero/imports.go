package wazero

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tetratelabs/wazero/api"

	"github.com/wasmpool/wasmpool/abi"
	"github.com/wasmpool/wasmpool/isolate/engine"
)

const wasi = "wasi_snapshot_preview1"

// maxComplaints bounds how many imports an error names. A guess: a module that
// was built for another world misses dozens.
const maxComplaints = 8

// checkImports names every import that nothing provides, and those that are
// provided with another type.
func checkImports(wanted []api.FunctionDefinition, others []string, provided map[string]map[string]api.FunctionDefinition) error {
	var complaints []string
	for _, f := range wanted {
		module, name, _ := f.Import()
		have, ok := provided[module][name]
		switch {
		case !ok:
			complaints = append(complaints, fmt.Sprintf("%s %s: nothing provides it%s",
				importName(module, name), signature(f), remedy(module, name)))
		case !slices.Equal(f.ParamTypes(), have.ParamTypes()) || !slices.Equal(f.ResultTypes(), have.ResultTypes()):
			complaints = append(complaints, fmt.Sprintf("%s %s: its type is %s",
				importName(module, name), signature(f), signature(have)))
		}
	}
	for _, other := range others {
		complaints = append(complaints, other+": only functions can be imported"+
			" (link without --import-memory and --import-table)")
	}
	if len(complaints) == 0 {
		return nil
	}
	if more := len(complaints) - maxComplaints; more > 0 {
		complaints = append(complaints[:maxComplaints], fmt.Sprintf("and %d more", more))
	}
	return &engine.InvalidError{Fault: abi.UnknownImport, Message: strings.Join(complaints, "; ")}
}

// remedy says what would provide an import, where that can be told.
func remedy(module, name string) string {
	switch {
	case module == abi.Module:
		return fmt.Sprintf("; version %d of the worker ABI has %s", abi.Version, strings.Join(slices.Sorted(maps.Keys(hostFunctions)), ", "))
	case strings.HasPrefix(module, abi.Module):
		return fmt.Sprintf("; this host speaks version %d of the worker ABI, module %q", abi.Version, abi.Module)
	case module == wasi:
		return "; WASI preview 1 has no such function"
	case module == "wasi_unstable":
		return "; build it for WASI preview 1 (wasm32-wasip1) with a newer toolchain"
	case strings.HasPrefix(module, "wasi:"):
		return "; it was built for WASI preview 2: build it for preview 1 (wasm32-wasip1)"
	case module == "gojs" || module == "go":
		return "; build it with GOOS=wasip1 instead of GOOS=js"
	case strings.HasPrefix(module, "__wbindgen") || module == "wbg":
		return "; it was built for a browser with wasm-bindgen: build it for wasm32-wasip1"
	case strings.HasPrefix(module, "extism:"):
		return "; it is an Extism plug-in"
	case module == "wapc":
		return "; it is a waPC guest"
	case module == "env" && strings.HasPrefix(name, "emscripten_"), module == "a":
		return "; build it with emcc -sSTANDALONE_WASM, or with the WASI SDK"
	case module == "env":
		return "; a symbol was left undefined by the linker: link what defines it"
	}
	return fmt.Sprintf("; modules %q and %q can be imported from", abi.Module, wasi)
}

func importName(module, name string) string {
	return fmt.Sprintf("%q.%q", clip(module), clip(name))
}

// maxNameInText bounds what is shown of a module's own names. A guess.
const maxNameInText = 100

func clip(s string) string {
	if len(s) <= maxNameInText {
		return s
	}
	return strings.ToValidUTF8(s[:maxNameInText], "") + "…"
}

func signature(f api.FunctionDefinition) string {
	text := "(" + strings.Join(typeNames(f.ParamTypes()), ", ") + ")"
	if results := typeNames(f.ResultTypes()); len(results) > 0 {
		text += " -> " + strings.Join(results, ", ")
	}
	return clip(text)
}
