package pool

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"github.com/wasmpool/wasmpool/abi"
	"github.com/wasmpool/wasmpool/internal/child"
	"github.com/wasmpool/wasmpool/isolate"
	"github.com/wasmpool/wasmpool/isolate/wazero"
	"github.com/wasmpool/wasmpool/subprocess"
	"github.com/wasmpool/wasmpool/subprocess/sandbox"
)

// init makes this program a worker when it was started as one: then it serves,
// and never returns. In the program that a user starts it does nothing.
func init() { child.TakeOver() }

// processes starts child processes: the launcher of a pool that is given no
// other.
type processes struct {
	options subprocess.Options
	engine  func() string // its name and version; empty: see compiler
}

func processLauncher(o Options) (Launcher, error) {
	if !supported {
		return nil, fmt.Errorf("pool: %s is not supported: child processes are sandboxed on Linux and macOS only", runtime.GOOS)
	}
	if o.Runner != "" {
		path, err := exec.LookPath(o.Runner)
		if err == nil {
			path, err = filepath.Abs(path)
		}
		if err != nil {
			return nil, fmt.Errorf("pool: option Runner is %q; want an executable: %w", o.Runner, err)
		}
		o.Runner = path
	} else if err := subprocess.Embeddable(); err != nil {
		return nil, fmt.Errorf("pool: set option Runner: %w", err)
	}
	if o.Cgroup != "" {
		if err := sandbox.CheckGroups(o.Cgroup); err != nil {
			return nil, fmt.Errorf("pool: option Cgroup is %q; want a directory of cgroups that is delegated: %w", o.Cgroup, err)
		}
	}
	l := &processes{
		options: subprocess.Options{
			Groups: o.Cgroup,
			Runner: o.Runner, StartTimeout: o.StartTimeout, MaxPayload: o.Limits.OutputBytes, Parallelism: o.Concurrency + 2,
			Transport: subprocess.Transport(o.Transport), Spin: o.Spin,
		},
		engine: sync.OnceValue(func() string { return engineOf(o.Runner) }),
	}
	go l.engine() // ends with the digest of the runner: the first worker starts meanwhile
	l.options.Sandbox, l.options.Require = o.Sandbox.plan()
	// A blank process may come to serve any of the modules.
	for _, m := range o.Modules {
		l.options.MaxPayload = max(l.options.MaxPayload, m.Limits.OutputBytes)
		l.options.Parallelism = max(l.options.Parallelism, m.Concurrency+2)
	}
	return l, nil
}

func (l *processes) Launch(ctx context.Context, what Launch, sink subprocess.Sink) (Worker, error) {
	o := l.options
	o.Name = what.Name
	for _, d := range what.Dirs {
		o.Sandbox.Dirs = append(o.Sandbox.Dirs, sandbox.Dir{Path: d.Host, Writable: d.Writable})
		if d.Writable {
			o.Sandbox.FileBytes = what.FileBytes
		}
	}
	p, err := subprocess.Start(ctx, o, sink)
	if err != nil {
		return nil, err
	}
	return process{p, l}, nil
}

// engineOf names the engine that children have, for all that its code depends
// on. Another program's engine is what that program is.
func engineOf(runner string) string {
	e := wazero.New()
	version := e.Version()
	if version == "" {
		return ""
	}
	if runner != "" {
		digest, err := fileDigest(runner)
		if err != nil {
			return ""
		}
		version = "runner-" + digest[:16] + " " + version
	}
	return e.Name() + " " + version
}

// Engine implements compiler.
func (l *processes) Engine() string { return l.engine() }

// Compile has a process of its own compile a module, which then ends: it has met
// the module and is never used again.
func (l *processes) Compile(ctx context.Context, a *Assignment, out *os.File) error {
	o := l.options
	o.Name, o.Sandbox.FileBytes = "compile "+a.Module, maxCodeBytes(len(a.Source))
	answer, err := l.ask(ctx, o, a, a.settings(isolate.Compile), out)
	if err != nil {
		return err
	}
	var info isolate.Info
	if json.Unmarshal(answer, &info) == nil && info.Unkept != "" {
		return &unkeptError{printable(info.Unkept)}
	}
	return nil
}

// Inspect has a process of its own describe a module, without running any of it.
func (l *processes) Inspect(ctx context.Context, a *Assignment) (*ModuleInfo, error) {
	o := l.options
	o.Name = "inspect " + a.Module
	answer, err := l.ask(ctx, o, a, a.settings(isolate.Inspect), nil)
	if err != nil {
		return nil, err
	}
	info := &ModuleInfo{Bytes: len(a.Source)}
	if err := json.Unmarshal(answer, info); err != nil {
		return nil, fmt.Errorf("pool: module %q: its description is not as expected: %w", a.Module, err)
	}
	return info, nil
}

// ask starts a process, has it load a module in some role, and ends it.
func (l *processes) ask(ctx context.Context, o subprocess.Options, a *Assignment, s isolate.Settings, file *os.File) (json.RawMessage, error) {
	s.Engine = l.engine()
	p, err := subprocess.Start(ctx, o, silent{})
	if err != nil {
		return nil, err
	}
	defer func() {
		p.Kill(errRetired)
		<-p.Done()
	}()
	return load(ctx, p, a, s, file)
}

// silent is the sink of a process that is asked one thing.
type silent struct{}

func (silent) Replies([]subprocess.Reply)  {}
func (silent) Log(subprocess.LogRecord)    {}
func (silent) Exited(exit subprocess.Exit) {}
func (silent) Host(context.Context, subprocess.HostRequest) subprocess.HostReply {
	return subprocess.HostReply{Status: abi.HostNotFound}
}

// process is a child process as a worker.
type process struct {
	*subprocess.Process
	launcher *processes
}

func (p process) Load(ctx context.Context, a *Assignment) error {
	s := a.settings(isolate.Serve)
	s.Engine, s.CodeSHA256 = p.launcher.engine(), a.CodeSHA256
	var code *os.File
	if a.Code != "" {
		var err error
		if code, err = openRegular(a.Code); err != nil {
			s.CodeSHA256 = "" // it compiles for itself, then
		} else {
			defer code.Close()
		}
	}
	answer, err := load(ctx, p.Process, a, s, code)
	if err != nil {
		return err
	}
	var info isolate.Info
	if code != nil && json.Unmarshal(answer, &info) == nil && info.Compiled {
		// What the cache has is of no use: the next worker finds none, and has it
		// made anew.
		_ = os.RemoveAll(filepath.Dir(a.Code)) // at worst it is of no use again
	}
	return nil
}

func load(ctx context.Context, p *subprocess.Process, a *Assignment, s isolate.Settings, file *os.File) (json.RawMessage, error) {
	settings, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("pool: module %q: %w", a.Module, err)
	}
	m := &subprocess.Module{
		Settings: settings, Source: a.Source, Slots: a.Concurrency, File: file, Memory: a.memory(s.Role),
	}
	if s.Role == isolate.Serve { // what only compiles has bounds of its own
		m.Resident, m.Seals = a.Limits.ResidentBytes, true
	}
	answer, err := p.Load(ctx, m)
	var ended *subprocess.ExitError
	switch {
	case errors.As(err, &ended) && ended.Exit.Exceeded:
		return nil, a.Limits.residentMemory(a.Module)
	case ended != nil && outOfMemory(ended.Exit):
		if s.Role == isolate.Serve && a.Code != "" {
			return nil, a.Limits.processMemory(a.Module)
		}
		return nil, a.Limits.compileMemory(a.Module)
	}
	return answer, err
}

// settings is an assignment in the words of the child.
func (a *Assignment) settings(role isolate.Role) isolate.Settings {
	s := isolate.Settings{
		Name: a.Module, SHA256: a.SHA256, Role: role, Shape: a.Shape, Functions: a.Functions,
		Args: a.Args, Slots: a.Concurrency, Fresh: a.Fresh,
		Limits: isolate.Limits{
			MemoryBytes: a.Limits.MemoryBytes, ModuleBytes: a.Limits.ModuleBytes,
			InputBytes: a.Limits.InputBytes, OutputBytes: a.Limits.OutputBytes,
			OpenFiles: int64(a.Limits.OpenFiles), FileBytes: a.Limits.FileBytes,
			TableElements: a.Limits.TableElements,
		},
	}
	for _, d := range a.Dirs {
		s.Dirs = append(s.Dirs, isolate.Dir(d))
	}
	for _, key := range slices.Sorted(maps.Keys(a.Env)) {
		s.Env = append(s.Env, key+"="+a.Env[key])
	}
	return s
}

// memory is the bound of addresses for a process that takes a module, in some
// role: what its instances reserve, one more than there are slots for one that
// replaces another, and what is left for the rest.
func (a *Assignment) memory(role isolate.Role) int64 {
	if role != isolate.Serve {
		return a.Limits.CompileBytes
	}
	bytes := a.Limits.ProcessBytes + int64(a.Concurrency+1)*a.Limits.MemoryBytes
	if a.Code == "" {
		bytes += a.Limits.CompileBytes // it compiles for itself
	}
	return bytes
}
