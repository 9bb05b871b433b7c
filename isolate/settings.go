package isolate

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/wasmpool/wasmpool/abi"
	"github.com/wasmpool/wasmpool/isolate/engine"
)

// Role is what a process is for.
type Role string

// The roles. Only Serve runs any code of the module.
const (
	Serve   Role = "serve"   // run calls
	Compile Role = "compile" // write the code of the module, describe it
	Inspect Role = "inspect" // describe the module, with its imports and exports
)

// Settings say what to load and how. They travel from the parent as JSON.
type Settings struct {
	Name   string    `json:"name"`             // of the module: argv[0], and in messages
	SHA256 string    `json:"sha256,omitempty"` // in hex, of the source; empty: not checked
	Engine string    `json:"engine,omitempty"` // its name and version, as the parent knows them; empty: asked of the engine
	Role   Role      `json:"role,omitempty"`   // empty: Serve
	Shape  abi.Shape `json:"shape,omitempty"`  // empty: told from the exports

	// Functions are the only names that can be called; nil: all that the module
	// has. Naming one that it does not have is an error.
	Functions []string `json:"functions,omitempty"`

	Args []string `json:"args,omitempty"` // WASI argv after argv[0]
	Env  []string `json:"env,omitempty"`  // WASI environ: "KEY=value"

	Dirs []Dir `json:"dirs,omitempty"` // granted to the guest

	Slots int  `json:"slots,omitempty"` // instances, and calls at once; zero: 1
	Fresh bool `json:"fresh,omitempty"` // a new instance for every call

	Code       *os.File `json:"-"`                     // for compiled code of this module; nil: none
	CodeSHA256 string   `json:"code_sha256,omitempty"` // in hex, of the code in there; empty: it is to be written

	Limits Limits `json:"limits,omitzero"`
}

// Dir is a directory that guests are granted, and reach only what is in it.
type Dir struct {
	Guest    string `json:"guest"` // absolute, as guests see it
	Host     string `json:"host"`  // absolute; it exists
	Writable bool   `json:"writable,omitempty"`
}

// Limits are what this side enforces. Zero means the default; negative values
// are refused. The defaults are guesses.
type Limits struct {
	MemoryBytes   int64 `json:"memory_bytes,omitempty"`   // linear memory an instance; 256 MiB, at most 4 GiB
	TableElements int64 `json:"table_elements,omitempty"` // of all tables of an instance; 1,000,000
	ModuleBytes   int64 `json:"module_bytes,omitempty"`   // the module itself; 32 MiB
	InputBytes    int64 `json:"input_bytes,omitempty"`    // the arguments of a call; 16 MiB, at most 2^31-1
	OutputBytes   int64 `json:"output_bytes,omitempty"`   // a result, an error, a host function's payload; likewise
	LogLineBytes  int64 `json:"log_line_bytes,omitempty"` // a log record or line of output, what is more is cut; 8 KiB
	OpenFiles     int64 `json:"open_files,omitempty"`     // of Dirs, at once, an instance; 64
	FileBytes     int64 `json:"file_bytes,omitempty"`     // of a file that a guest writes; 64 MiB
}

// maxPayload bounds payloads in the ABI.
const maxPayload = 1<<31 - 1

func (s Settings) withDefaults() (Settings, error) {
	var faults []error
	fault := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf("isolate: settings: "+format, args...))
	}

	if s.Role == "" {
		s.Role = Serve
	}
	switch s.Role {
	case Serve, Inspect:
	case Compile:
		if s.Code == nil || s.CodeSHA256 != "" {
			fault("role %q needs a file to write code to", s.Role)
		}
	default:
		fault("role is %q, want %q, %q or %q", s.Role, Serve, Compile, Inspect)
	}
	switch s.Shape {
	case "", abi.Reactor, abi.Server, abi.Command:
	default:
		fault("shape is %q, want %q, %q, %q or none", s.Shape, abi.Reactor, abi.Server, abi.Command)
	}
	if s.Slots == 0 {
		s.Slots = 1
	}
	if s.Slots < 0 {
		fault("slots is %d, want at least 1", s.Slots)
	}
	for _, text := range append([]string{s.Name}, s.Args...) {
		if strings.ContainsRune(text, 0) {
			fault("argument %q has a zero byte", text)
		}
	}
	for _, pair := range s.Env {
		if key, _, ok := strings.Cut(pair, "="); !ok || key == "" || strings.ContainsRune(pair, 0) {
			fault("environment entry %q is not KEY=value", pair)
		}
	}
	s.Limits.check(fault)
	return s, errors.Join(faults...)
}

func (l *Limits) check(fault func(format string, args ...any)) {
	for _, row := range []struct {
		name            string
		value           *int64
		preset, highest int64
	}{
		{"memory_bytes", &l.MemoryBytes, 256 << 20, 4 << 30},
		{"table_elements", &l.TableElements, 1_000_000, 10_000_000},
		{"module_bytes", &l.ModuleBytes, 32 << 20, 1 << 30},
		{"input_bytes", &l.InputBytes, 16 << 20, maxPayload},
		{"output_bytes", &l.OutputBytes, 16 << 20, maxPayload},
		{"log_line_bytes", &l.LogLineBytes, 8 << 10, 1 << 20},
		{"open_files", &l.OpenFiles, 64, 1 << 16},
		{"file_bytes", &l.FileBytes, 64 << 20, 1 << 40},
	} {
		if *row.value == 0 {
			*row.value = row.preset
		}
		if *row.value < 0 || *row.value > row.highest {
			fault("limit %s is %d, want 1 to %d", row.name, *row.value, row.highest)
		}
	}
}

// Info describes a module. It travels to the parent as JSON; what the module
// says of itself in it is untrusted.
type Info struct {
	Shape  abi.Shape `json:"shape"`
	SHA256 string    `json:"sha256"` // in hex, of the source
	Engine string    `json:"engine"` // its name and version

	// Functions are the names that can be called, sorted. Without an instance
	// they are guessed from the exports. With Dispatches set, and no list of the
	// module's own, there may be more.
	Functions  []string `json:"functions,omitempty"`
	Dispatches bool     `json:"dispatches,omitempty"` // it exports wasmpool_call

	Imports []engine.Func  `json:"imports,omitempty"` // for [Inspect] only, as Exports
	Exports []engine.Func  `json:"exports,omitempty"`
	Memory  *engine.Memory `json:"memory,omitempty"`

	Compiled bool   `json:"compiled"`         // false: the code came from the cache
	Unkept   string `json:"unkept,omitempty"` // why the code could not be written
	Cut      bool   `json:"cut,omitempty"`    // a list is longer than the 10,000 entries, or the 1 MiB, that it shows
}

// Bounds of each list of an [Info], and of the list of a module's own: in
// entries, and about in bytes. Guesses.
const (
	maxListed      = 10_000
	maxListedBytes = 1 << 20
)
