package pool_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/wasmpool/wasmpool/abi"
	wt "github.com/wasmpool/wasmpool/internal/wasmtest"
	"github.com/wasmpool/wasmpool/pool"
)

// guest is a module that imports the whole worker ABI, with a memory of one page.
type guest struct {
	*wt.Module
	input, output, fail, function, context, cancelled, log, host, reply uint32
}

func newGuest() guest {
	m := wt.New()
	with := func(name, signature string) uint32 { return m.Import(abi.Module, name, signature) }
	g := guest{
		Module: m,
		input:  with(abi.ImportInput, "i32 i32 -> i32"), output: with(abi.ImportOutput, "i32 i32 ->"),
		fail: with(abi.ImportFail, "i32 i32 ->"), function: with(abi.ImportFunction, "i32 i32 -> i32"),
		context: with(abi.ImportContext, "i32 i32 -> i32"), cancelled: with(abi.ImportCancelled, "-> i32"),
		log: with(abi.ImportLog, "i32 i32 i32 ->"), host: with(abi.ImportHost, "i32 i32 i32 i32 -> i32"),
		reply: with(abi.ImportReply, "i32 i32 -> i32"),
	}
	m.Memory(1)
	return g
}

// attack is the module with one function.
func (g guest) attack(body ...wt.Code) []byte {
	g.Func("attack", body...)
	return g.Bytes()
}

// unless traps if a number is another one.
func unless(number wt.Code, is int32) wt.Code {
	return wt.If(wt.Ne(number, wt.I32(is)), wt.Unreachable())
}

func TestHostilePointers(t *testing.T) {
	g := newGuest()
	zero := wt.I32(0)
	var functions []string
	for _, outside := range []struct {
		name      string
		ptr, size uint32
	}{
		{"at the end", 1 << 16, 1},
		{"over the end", 1<<16 - 1, 2},
		{"one more than there is", 0, 1<<16 + 1},
		{"all there could be", 0, 1<<32 - 1},
		{"wraps", 1<<32 - 1, 2},
		{"wraps to zero", 1 << 31, 1 << 31},
	} {
		ptr, size := wt.I32(int32(outside.ptr)), wt.I32(int32(outside.size))
		for what, call := range map[string]wt.Code{
			"input":        wt.Drop(wt.Call(g.input, ptr, size)),
			"output":       wt.Call(g.output, ptr, size),
			"fail":         wt.Call(g.fail, ptr, size),
			"function":     wt.Drop(wt.Call(g.function, ptr, size)),
			"context":      wt.Drop(wt.Call(g.context, ptr, size)),
			"log":          wt.Call(g.log, zero, ptr, size),
			"host name":    wt.Drop(wt.Call(g.host, ptr, size, zero, wt.I32(1))),
			"host payload": wt.Drop(wt.Call(g.host, zero, wt.I32(1), ptr, size)),
			"reply":        wt.Drop(wt.Call(g.reply, ptr, size)),
		} {
			name := fmt.Sprintf("%s %s", what, outside.name)
			g.Func(name, call, wt.I32(0))
			functions = append(functions, name)
		}
	}
	hostile(t, []attack{{name: "of every import", module: g.Bytes(), functions: functions, want: traps("out of bounds memory access")}})
}

func TestHostileUseOfTheABI(t *testing.T) {
	echo := pool.Options{Host: map[string]pool.HostFunc{
		"echo": func(_ context.Context, payload []byte) ([]byte, error) { return payload, nil },
	}}
	zero := wt.I32(0)
	g := newGuest
	with := func(text string) guest {
		g := newGuest()
		g.Data(0, text)
		return g
	}
	early := func() []byte {
		g := with("early")
		one := wt.I32(1)
		g.FuncOf("_initialize", "->",
			unless(wt.Call(g.input, zero, one), 0), unless(wt.Call(g.function, zero, one), 0), unless(wt.Call(g.reply, zero, one), 0),
			unless(wt.Call(g.cancelled), 0), unless(wt.Call(g.context, wt.I32(64), one), 2),
			unless(wt.Call(g.host, zero, wt.I32(4), zero, zero), abi.HostNotFound),
			wt.Call(g.output, zero, wt.I32(5)), wt.Call(g.fail, zero, wt.I32(5)), wt.Call(g.log, zero, zero, wt.I32(5)))
		return g.attack(zero)
	}
	large := func(g guest, body ...wt.Code) []byte { // with a memory of 32 MiB
		return g.attack(append([]wt.Code{wt.Drop(wt.MemoryGrow(wt.I32(511)))}, body...)...)
	}
	overlap, thousand, silent, halfway, reckless := with(`"echo"`), with("12"), with("oops"), with("1"), g()
	name, payload, deaf, absent, repeated := g(), g(), with("echo"), with("absent"), with("echo")
	hostile(t, []attack{
		{name: "every import before a call", module: early(), want: returns("null")},
		{
			name: "ranges that overlap and are not aligned", options: echo, want: returns(`"echo"`),
			module: overlap.attack(
				unless(wt.Call(overlap.input, wt.I32(101), wt.I32(2)), 2), unless(wt.Call(overlap.input, wt.I32(102), wt.I32(2)), 2),
				unless(wt.Call(overlap.host, wt.I32(1), wt.I32(4), zero, wt.I32(6)), 6),
				unless(wt.Call(overlap.reply, wt.I32(3), wt.I32(6)), 6), wt.Call(overlap.output, wt.I32(3), wt.I32(6)), zero),
		},
		{
			name: "a thousand results", want: returns("2"),
			module: thousand.attack(wt.Repeat(0, 1000, wt.Call(thousand.output, zero, wt.I32(1<<16))), wt.Call(thousand.output, wt.I32(1), wt.I32(1)), zero),
		},
		{name: "an error, and all the same a result", module: silent.attack(wt.Call(silent.fail, zero, wt.I32(4)), zero), want: returns("null")},
		{
			name: "a result, and all the same an error", want: fails(abi.Failed, "", "returned 1"),
			module: halfway.attack(wt.Call(halfway.output, zero, wt.I32(1)), wt.I32(1)),
		},
		{
			name: "a result of 1 GiB", limits: pool.Limits{MemoryBytes: 2 << 30}, want: limited("output", 16<<20), functions: again,
			module: reckless.attack(wt.Drop(wt.MemoryGrow(wt.I32(1<<14))), wt.Call(reckless.output, zero, wt.I32(1<<30)), zero),
		},
		{
			name: "a host function with a name of 16 MiB", options: echo, want: returns("null"),
			module: large(name, unless(wt.Call(name.host, zero, wt.I32(16<<20), zero, zero), abi.HostNotFound), zero),
		},
		{
			name: "a host function with a payload above its limit", options: echo, want: limited("host payload", 16<<20),
			module: large(payload, wt.Drop(wt.Call(payload.host, zero, zero, zero, wt.I32(16<<20+1))), zero),
		},
		{
			name: "host functions that nobody granted", want: returns("null"),
			module: absent.attack(wt.Repeat(0, 1_000, unless(wt.Call(absent.host, zero, wt.I32(6), zero, zero), abi.HostNotFound)), zero),
		},
		{
			name: "replies of 16 MiB that are never read", options: echo, want: returns("null"),
			module: large(deaf, wt.Repeat(0, 2, unless(wt.Call(deaf.host, zero, wt.I32(4), zero, wt.I32(16<<20)), 16<<20)), zero),
		},
		{
			name: "a host function called without end", options: echo, call: []pool.CallOption{pool.Timeout(10 * soon)}, want: late(),
			module: repeated.attack(wt.Forever(wt.Drop(wt.Call(repeated.host, zero, wt.I32(4), zero, wt.I32(4)))), zero),
		},
	})
}

// TestAHostFunctionThatCallsTheGuestThatCalledIt holds that it is told so,
// instead of waiting for itself.
func TestAHostFunctionThatCallsTheGuestThatCalledIt(t *testing.T) {
	t.Parallel()
	g := newGuest()
	g.Data(0, "again")
	module := g.attack(unless(wt.Call(g.host, wt.I32(0), wt.I32(5), wt.I32(0), wt.I32(0)), abi.HostFailed), wt.I32(0))
	var p *pool.Pool
	told := make(chan error, 10)
	p = start(t, pool.Options{
		Max: 1, Modules: map[string]pool.Module{"hostile": {Bytes: module}},
		Host: map[string]pool.HostFunc{"again": func(ctx context.Context, _ []byte) ([]byte, error) {
			_, err := p.Call(ctx, "hostile", "attack")
			told <- err
			return nil, err
		}},
	})
	if got, err := p.Call(within(t), "hostile", "attack"); err != nil || string(got) != "null" {
		t.Errorf("the outer call = %s, %v, want null", got, err)
	}
	if err := <-told; !errors.Is(err, pool.ErrNested) {
		t.Errorf("the inner call: %v, want %v", err, pool.ErrNested)
	}
}
