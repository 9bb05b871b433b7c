package wazero

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/wasmpool/wasmpool/abi"
	"github.com/wasmpool/wasmpool/isolate/engine"
)

// instance is one running copy of a module. It belongs to the goroutine that
// calls it.
type instance struct {
	module    *module
	host      engine.Host
	guest     api.Module
	memory    *memories
	functions map[string]api.Function
	context   *guestContext

	last     string // the export of latest
	latest   api.Function
	stack    [1]uint64 // the parameter or result of a call
	serving  bool      // the host is at work for the guest
	ended    error     // set by end: why the host ended the guest's call
	finished bool      // nothing may be called any more
}

// guestContext carries the instance to the host functions: one type assertion,
// where a chain of context values would be walked in every call.
type guestContext struct {
	context.Context
	instance *instance
}

// Instantiate implements [engine.Module].
func (m *module) Instantiate(ctx context.Context, config engine.InstanceConfig) (_ engine.Instance, err error) {
	x := &instance{module: m, host: config.Host, memory: &memories{most: m.memoryBytes}, functions: make(map[string]api.Function)}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("wazero: instantiate: %v", r)
			if x.memory.err != nil {
				// wazero slices the memory that it is given and asks nothing.
				err = fmt.Errorf("wazero: no memory for an instance: %w", x.memory.err)
			}
		}
		if err != nil {
			_ = x.Close()
		}
	}()
	starting := &guestContext{experimental.WithMemoryAllocator(context.WithoutCancel(ctx), x.memory), x}
	guest, err := m.runtime.InstantiateModule(starting, m.compiled, m.grants.mount(moduleConfig(config)))
	if err != nil {
		return nil, x.translate(err)
	}
	x.guest = guest
	x.context = &guestContext{context.Background(), x}
	if f, ok := m.exports(abi.ExportInitialize); ok {
		if len(f.Params)+len(f.Results) != 0 {
			return nil, &engine.InvalidError{Fault: abi.WrongShape, Message: "export \"_initialize\" must have no parameters and no result"}
		}
		if err := x.call(abi.ExportInitialize); err != nil {
			return nil, err
		}
	}
	return x, nil
}

// moduleConfig gives a guest its arguments and streams, and the real clocks: a
// Go guest that sees time stand still never collects its garbage. Random bytes
// are the system's. Standard input is empty.
func moduleConfig(config engine.InstanceConfig) wazero.ModuleConfig {
	c := wazero.NewModuleConfig().
		WithName("").         // several instances of one module
		WithStartFunctions(). // _initialize is called by us, _start never
		WithArgs(config.Args...).
		WithRandSource(rand.Reader).
		WithSysWalltime().
		WithSysNanotime().
		WithNanosleep(func(ns int64) { time.Sleep(time.Duration(ns)) })
	if config.Stdout != nil {
		c = c.WithStdout(config.Stdout)
	}
	if config.Stderr != nil {
		c = c.WithStderr(config.Stderr)
	}
	for _, pair := range config.Env {
		key, value, _ := strings.Cut(pair, "=")
		c = c.WithEnv(key, value)
	}
	return c
}

// Invoke implements [engine.Instance].
func (x *instance) Invoke(export string) (int32, error) {
	if err := x.call(export); err != nil {
		return 0, err
	}
	return api.DecodeI32(x.stack[0]), nil
}

// Signal implements [engine.Instance].
func (x *instance) Signal(export string, number int32) error {
	x.stack[0] = api.EncodeI32(number)
	return x.call(export)
}

func (x *instance) call(export string) error {
	if x.finished {
		return fmt.Errorf("wazero: call %q: the instance has ended", clip(export))
	}
	if x.latest == nil || x.last != export {
		if err := x.lookUp(export); err != nil {
			return err
		}
	}
	if err := x.latest.CallWithStack(x.context, x.stack[:]); err != nil {
		x.finished = true
		return x.translate(err)
	}
	return nil
}

func (x *instance) lookUp(export string) error {
	f, ok := x.functions[export]
	if !ok {
		if f = x.guest.ExportedFunction(export); f == nil {
			return fmt.Errorf("wazero: call %q: the module exports no such function", clip(export))
		}
		if d := f.Definition(); len(d.ParamTypes()) > 1 || len(d.ResultTypes()) > 1 {
			return fmt.Errorf("wazero: call %q: its type is %s", clip(export), signature(d))
		}
		x.functions[export] = f
	}
	x.last, x.latest = export, f
	return nil
}

// MemoryBytes implements [engine.Instance].
func (x *instance) MemoryBytes() int64 {
	if !x.module.hasMemory || x.finished {
		return 0
	}
	return int64(x.guest.Memory().Size())
}

// Close implements [engine.Instance]. It gives the memory back at once.
func (x *instance) Close() error {
	x.finished = true
	var err error
	if x.guest != nil {
		err = x.guest.Close(context.Background())
	}
	x.memory.release()
	return err
}
