// Package isolate loads one module, keeps its instances and runs calls in them:
// the guest's half of a child process.
//
// It speaks version 1 of the worker ABI through an [engine.Engine]. It knows
// nothing of processes or pipes: whoever receives calls hands them to
// [Isolate.Call], one goroutine a slot.
//
// This version runs reactors. Servers and commands are told apart, described,
// and refused.
package isolate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"github.com/wasmpool/wasmpool/abi"
	"github.com/wasmpool/wasmpool/isolate/engine"
)

// LogSource says where a log record comes from.
type LogSource uint8

// Where log records come from.
const (
	LogGuest  LogSource = 0 // the guest's log import
	LogStdout LogSource = 1 // a line of the guest's standard output
	LogStderr LogSource = 2 // a line of the guest's standard error
	LogChild  LogSource = 3 // this package
)

// Levels of log/slog, which a guest's log import uses too.
const (
	levelInfo  = 0
	levelError = 8
)

// LogFunc takes one log record. It is called by the goroutines of all slots,
// must not block for long, and copies the text if it keeps it. Text of a guest
// is untrusted bytes.
type LogFunc func(source LogSource, level int32, text []byte)

// Isolate is a module and its instances. Load comes first and once; then Call
// may run in every slot at the same time, but not twice in one.
type Isolate struct {
	engine   engine.Engine
	log      LogFunc
	compiled func() error // see OnCompiled

	// Set by Load.
	settings  Settings
	module    engine.Module
	functions *functions
	exports   map[string]bool // the ABI's own exports that the module has
	slots     []*slot         // empty: the module does not serve
}

// New returns an isolate that will load its module with e, which it owns from
// now on. A nil log discards.
func New(e engine.Engine, log LogFunc) *Isolate {
	if log == nil {
		log = func(LogSource, int32, []byte) {}
	}
	return &Isolate{engine: e, log: log, compiled: func() error { return nil }}
}

// OnCompiled has Load, in the role [Serve], call a function between compiling
// the module and running anything of it: from there on no machine code is made,
// and no file is read that is not the guest's. An error of it is one of Load.
func (x *Isolate) OnCompiled(f func() error) { x.compiled = f }

// Load checks, compiles and describes a module and, in the role [Serve], makes
// all its instances: when it returns, calls can run. Errors that are the
// module's own fault are *[engine.InvalidError]; after an error the isolate is
// only good for Close.
func (x *Isolate) Load(ctx context.Context, settings Settings, source []byte) (Info, error) {
	if x.module != nil {
		return Info{}, errors.New("isolate: a module is loaded already")
	}
	settings, err := settings.withDefaults()
	if err != nil {
		return Info{}, err
	}
	x.settings = settings
	if n, limit := int64(len(source)), settings.Limits.ModuleBytes; n > limit {
		return Info{}, x.invalid(abi.TooLarge, "has %d bytes; the limit is %d", n, limit)
	}
	sum := sha256.Sum256(source)
	digest := hex.EncodeToString(sum[:])
	if settings.SHA256 != "" && !strings.EqualFold(settings.SHA256, digest) {
		return Info{}, fmt.Errorf("isolate: module %q has SHA-256 %s, the settings say %s", settings.Name, digest, settings.SHA256)
	}
	x.module, err = x.engine.Load(ctx, source, engine.Config{
		DescribeOnly:  settings.Role == Inspect,
		MemoryBytes:   settings.Limits.MemoryBytes,
		TableElements: settings.Limits.TableElements,
		Dirs:          granted(settings),
		OpenFiles:     int(settings.Limits.OpenFiles),
		FileBytes:     settings.Limits.FileBytes,
		SHA256:        sum,
		Code:          settings.Code,
		CodeSHA256:    settings.CodeSHA256,
	})
	if err != nil {
		return Info{}, x.named(err)
	}
	d := x.module.Describe()
	shape, err := x.shape(d)
	if err != nil {
		return Info{}, err
	}
	if shape == abi.Reactor {
		if err := x.checkReactor(d); err != nil {
			return Info{}, err
		}
		x.functions = newFunctions(d)
	}
	if settings.Role == Serve {
		if err := x.serve(ctx, shape); err != nil {
			return Info{}, err
		}
	}
	return x.info(d, shape, digest), nil
}

// granted are the directories of a module that runs: to be looked at it needs
// none.
func granted(s Settings) []engine.Dir {
	if s.Role != Serve {
		return nil
	}
	var dirs []engine.Dir
	for _, d := range s.Dirs {
		dirs = append(dirs, engine.Dir(d))
	}
	return dirs
}

// serve makes the instances.
func (x *Isolate) serve(ctx context.Context, shape abi.Shape) error {
	if shape != abi.Reactor {
		return x.invalid(abi.WrongShape, "is a %s; this version runs reactors only: "+
			"build it as a library whose functions are exported", shape)
	}
	if err := x.compiled(); err != nil {
		return err
	}
	for range x.settings.Slots {
		s := newSlot(x)
		x.slots = append(x.slots, s)
		if err := s.start(ctx); err != nil {
			return err
		}
		if len(x.slots) > 1 {
			continue
		}
		// The first instance says what can be called.
		if err := x.list(s); err != nil {
			return err
		}
	}
	return nil
}

// list settles which names can be called.
func (x *Isolate) list(s *slot) error {
	if x.exports[abi.ExportFunctions] {
		names, err := s.list()
		if err != nil {
			return err
		}
		for _, name := range x.functions.only(names) {
			x.log(LogChild, levelError, fmt.Appendf(nil,
				"module %q lists function %q, which it can not run", x.settings.Name, clip(name)))
		}
	}
	if x.settings.Functions == nil {
		return nil
	}
	had := x.functions.names()
	if missing := x.functions.only(x.settings.Functions); len(missing) > 0 {
		return x.invalid(abi.WrongShape, "has no function %s, which the settings name; it has %s",
			nameList(missing), nameList(had))
	}
	return nil
}

// invalid is a fault of the module, whose name it begins with.
func (x *Isolate) invalid(fault abi.Fault, format string, args ...any) error {
	return &engine.InvalidError{Fault: fault, Message: "it " + fmt.Sprintf(format, args...)}
}

// named puts the module's name before an error that is not its fault. A fault is
// told by one who names the module.
func (x *Isolate) named(err error) error {
	var invalid *engine.InvalidError
	if errors.As(err, &invalid) {
		return invalid
	}
	return fmt.Errorf("isolate: load module %q: %w", x.settings.Name, err)
}

// Signal runs wasmpool_signal in every instance that is alive, one after the
// other. No call may run, and none follows. What goes wrong there is logged.
func (x *Isolate) Signal(number int) {
	if !x.exports[abi.ExportSignal] {
		return
	}
	for _, s := range x.slots {
		s.signal(int32(number))
	}
}

// Collect collects garbage. It is called while no guest runs: a guest cannot be
// preempted, and a collection would wait for it with the whole process.
func (x *Isolate) Collect() { runtime.GC() }

// MemoryBytes is the linear memory of all instances together. No call may run.
func (x *Isolate) MemoryBytes() int64 {
	var n int64
	for _, s := range x.slots {
		if s.instance != nil {
			n += s.instance.MemoryBytes()
		}
	}
	return n
}

// Close drops the instances, the module and the engine. No call may run.
func (x *Isolate) Close() error {
	var errs []error
	for _, s := range x.slots {
		errs = append(errs, s.drop())
	}
	x.slots = nil
	if x.module != nil {
		errs = append(errs, x.module.Close())
	}
	return errors.Join(append(errs, x.engine.Close())...)
}

// info is what Load answers.
func (x *Isolate) info(d engine.Description, shape abi.Shape, digest string) Info {
	info := Info{
		Shape:    shape,
		SHA256:   digest,
		Engine:   x.settings.Engine,
		Memory:   d.Memory,
		Compiled: !d.Cached,
		Unkept:   clipTo(d.Unkept, maxMessage),
	}
	if info.Engine == "" {
		info.Engine = x.engine.Name() + " " + x.engine.Version()
	}
	if x.functions != nil {
		info.Dispatches = x.functions.dispatch != ""
		info.Functions = x.functions.names()
	}
	if x.settings.Role == Inspect {
		info.Imports, info.Exports = d.Imports, d.Exports
	}
	for _, list := range []*[]engine.Func{&info.Imports, &info.Exports} {
		if n := listable(*list); n < len(*list) {
			*list, info.Cut = (*list)[:n], true
		}
	}
	if len(info.Functions) > maxListed {
		info.Functions, info.Cut = info.Functions[:maxListed], true
	}
	return info
}

// listable is how many of a list's functions fit into an [Info].
func listable(list []engine.Func) int {
	size := 0
	for i, f := range list {
		size += len(f.Module) + len(f.Name) + len("externref,")*(len(f.Params)+len(f.Results))
		if i == maxListed || size > maxListedBytes {
			return i
		}
	}
	return len(list)
}
