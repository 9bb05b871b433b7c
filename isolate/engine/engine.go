// Package engine is the contract of a WebAssembly engine: what isolate asks of
// it, and what it asks of isolate.
//
// It holds interfaces and plain data only. Package enginetest is the
// conformance suite that an implementation has to pass.
package engine

import (
	"context"
	"crypto/sha256"
	"io"
	"os"
)

// Engine turns the bytes of a module into something that can be run. A process
// has one. Its methods are not called concurrently.
type Engine interface {
	// Name and Version together key compiled code: what one pair wrote, another
	// must never read. The version is empty where that on which the code depends
	// is not known, and then none may be kept. It may cost milliseconds, and a
	// look at this program's file.
	Name() string
	Version() string

	// Load decodes, validates and compiles source, or takes its compiled code
	// from the cache directory in config. Errors that are the module's own fault
	// are *[InvalidError].
	Load(ctx context.Context, source []byte, config Config) (Module, error)

	io.Closer
}

// Config is what holds for a module and all its instances.
type Config struct {
	// DescribeOnly says that the module will not be instantiated: imports that
	// nothing provides are no fault of a module that is only looked at.
	DescribeOnly bool

	// MemoryBytes bounds the linear memory of each instance; zero means the
	// 4 GiB that WebAssembly itself allows. Rounded down to whole pages. A
	// module that declares more as its minimum is refused ([abi.TooLarge]).
	MemoryBytes int64

	// TableElements bounds the elements of all tables of an instance together;
	// zero means 1,000,000, a guess. A module that declares more as its minimum
	// is refused ([abi.TooLarge]); table.grow beyond it fails inside the guest.
	TableElements int64

	// Dirs are the directories that every instance is granted.
	Dirs []Dir

	// OpenFiles bounds how many files of Dirs an instance has open at once, those
	// directories included; FileBytes, the size to which it makes one grow. Zero
	// grants none, and none of any size.
	OpenFiles int
	FileBytes int64

	// SHA256 is the digest of the source, to which compiled code is bound. Zero
	// means that Load takes it, where there is Code.
	SHA256 [sha256.Size]byte

	// Code is a file for compiled code of this one module; nil means none. It is
	// read and written from its beginning, once, and not closed.
	Code *os.File

	// CodeSHA256 is the digest, in hexadecimal, of the code that is in Code. Load
	// loads the very bytes that it has compared with it, and compiles where they
	// are others. Empty means that there is no code yet: Load compiles and writes
	// its code there. Failing at that is no error: see [Description].
	CodeSHA256 string
}

// Dir is a directory that guests are granted. They reach what is in it and
// nothing else, whatever links lie there, and they make none.
type Dir struct {
	Guest    string // absolute, as guests see it
	Host     string // absolute; it exists
	Writable bool   // else every change is refused
}

// Module is a loaded module. Instantiate may be called from several goroutines
// at once.
type Module interface {
	Describe() Description

	// Instantiate makes an instance and runs its start section and _initialize.
	// Its errors are those of [Instance.Invoke], and *[InvalidError] when the
	// module does not fit its own memory, tables or exports.
	Instantiate(ctx context.Context, config InstanceConfig) (Instance, error)
	io.Closer
}

// InstanceConfig is what holds for one instance.
type InstanceConfig struct {
	Host   Host      // serves the wasmpool imports of this instance
	Args   []string  // WASI argv, the program's name included
	Env    []string  // WASI environ, "KEY=value"
	Stdout io.Writer // nil discards
	Stderr io.Writer // nil discards
}

// Instance is one running copy of a module. All its methods are called by one
// goroutine at a time, but for Close of an instance whose call never ends,
// which is left to the end of the process.
//
// Instantiate has run the start section and _initialize, and nothing else.
type Instance interface {
	// Invoke runs an export of type () -> i32 and returns its result. An error
	// is a *[TrapError], a *[ExitError], a *[LimitError], or the engine's own;
	// after any of them the instance is only good for Close.
	Invoke(export string) (int32, error)

	// Signal runs an export of type (i32) -> ().
	Signal(export string, number int32) error

	// MemoryBytes is the current size of the linear memory.
	MemoryBytes() int64

	io.Closer
}

// Host serves the imports of one instance. The engine checks every range
// against the guest's memory before it calls (a range outside traps), and
// slices that it passes are the guest's own memory: valid during the method,
// and to be copied by one who keeps them. An empty range touches nothing and is
// never outside, whatever its pointer. Methods run on the goroutine of the call.
type Host interface {
	Input() []byte    // the arguments; the engine copies them to the guest
	Function() string // the function being called
	Context() []byte  // the JSON object about this call
	Reply() []byte    // the last reply of a host function

	Output(payload []byte) error // an error ends the call and is what Invoke returns
	Fail(payload []byte) error   // likewise
	Log(level int32, message []byte)
	Cancelled() bool

	// Call calls a host function, and returns the length of its reply or one of
	// abi.HostFailed, abi.HostNotFound, abi.HostCancelled. An error ends the
	// call and is what Invoke returns.
	Call(name, payload []byte) (int32, error)
}

// Description is what a module says of itself. All of it comes from the
// module: untrusted.
type Description struct {
	Imports []Func
	Exports []Func  // functions only
	Memory  *Memory // nil: the module exports no memory named "memory"
	Cached  bool    // the code came from the cache: nothing was compiled
	Unkept  string  // why compiled code could not be left in the cache; empty: it was, or was not to be
}

// Func is an imported or exported function.
type Func struct {
	Module  string   `json:"module,omitempty"` // imports only
	Name    string   `json:"name"`
	Params  []string `json:"params"`  // "i32", "i64", "f32", "f64", "v128", "funcref", "externref"
	Results []string `json:"results"` // likewise
}

// Memory is the type of the exported memory, in bytes.
type Memory struct {
	MinBytes int64 `json:"min_bytes"`
	MaxBytes int64 `json:"max_bytes"` // as declared; 4 GiB where the module declares none
}
