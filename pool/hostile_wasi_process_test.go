package pool_test

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/wasmpool/wasmpool/abi"
	wt "github.com/wasmpool/wasmpool/internal/wasmtest"
	"github.com/wasmpool/wasmpool/pool"
)

const wasi = "wasi_snapshot_preview1"

// badf is the error number of WASI for a descriptor that is not open.
const badf = 8

// using is a module that imports one function of WASI, whose memory begins with
// a text, and whose attack is made with that function.
func using(name, signature, text string, attack func(f uint32) wt.Code) []byte {
	m := wt.New()
	f := m.Import(wasi, name, signature)
	m.Memory(1)
	m.Data(0, text)
	m.Func("attack", attack(f), wt.I32(0))
	return m.Bytes()
}

// refusing is a module that traps when a function of WASI takes any of the
// descriptors from first on, which is the local 0 in the arguments.
func refusing(first int32, name, signature string, arguments ...wt.Code) []byte {
	const eqz = 0x45
	return using(name, signature, "/etc/passwd", func(f uint32) wt.Code {
		return wt.Repeat(1, 200,
			wt.Set(0, wt.Add(wt.I32(first-1), wt.Get(1))),
			wt.If(wt.Op(eqz, wt.Call(f, arguments...)), wt.Unreachable()))
	})
}

func TestHostileEndings(t *testing.T) {
	exit := func(m *wt.Module) uint32 { return m.Import(wasi, "proc_exit", "i32 ->") }
	starting := func(export, signature string) []byte {
		m := wt.New()
		f := exit(m)
		m.Memory(1).Func("attack", wt.I32(0))
		body := []wt.Code{wt.Call(f, wt.I32(-1))}
		if signature != "->" {
			body = append(body, wt.I32(0))
		}
		if g := m.FuncOf(export, signature, body...); export == "" {
			m.Start(g)
		}
		return m.Bytes()
	}
	calling := func(code int32) []byte {
		return using("proc_exit", "i32 ->", "", func(f uint32) wt.Code { return wt.Call(f, wt.I32(code)) })
	}
	hostile(t, []attack{
		{name: "an exit in a call", module: calling(0), functions: again, want: fails(abi.Exited, "Exit", "code 0")},
		{name: "an exit with the largest code", module: calling(-1), functions: again, want: fails(abi.Exited, "Exit", "code 4294967295")},
		{name: "an exit in a start section", module: starting("", "->"), functions: again, want: refused(abi.InitFailed, "exited")},
		{name: "an exit in _initialize", module: starting("_initialize", "->"), want: refused(abi.InitFailed, "exited")},
		{name: "an exit in wasmpool_init", module: starting("wasmpool_init", "-> i32"), want: refused(abi.InitFailed, "exited")},
		{name: "an exit in wasmpool_functions", module: starting("wasmpool_functions", "-> i32"), want: refused(abi.InitFailed, "exited")},
	})
}

func TestHostileUseOfTime(t *testing.T) {
	hour := make([]byte, 48) // a subscription to the monotonic clock
	binary.LittleEndian.PutUint32(hour[16:], 1)
	binary.LittleEndian.PutUint64(hour[24:], uint64(time.Hour))
	const pollOneoff, poll = "poll_oneoff", "i32 i32 i32 i32 -> i32"
	subscribing := func(n int32) []byte {
		return using(pollOneoff, poll, "", func(f uint32) wt.Code {
			return wt.Drop(wt.Call(f, wt.I32(0), wt.I32(0), wt.I32(n), wt.I32(0)))
		})
	}
	timeout := []pool.CallOption{pool.Timeout(soon)}
	hostile(t, []attack{
		{
			name: "a sleep of an hour", call: timeout, want: late(),
			module: using(pollOneoff, poll, string(hour), func(f uint32) wt.Code {
				return wt.Drop(wt.Call(f, wt.I32(0), wt.I32(1024), wt.I32(1), wt.I32(2048)))
			}),
		},
		{name: "268,435,456 subscriptions", module: subscribing(1 << 28), want: either(traps(""), returns("null"))},
		{name: "subscriptions whose size wraps", module: subscribing(1<<32/48 + 1), want: either(traps(""), returns("null"))},
		{name: "as many subscriptions as there can be", module: subscribing(-1), want: either(traps(""), returns("null"))},
		{
			name: "random bytes for ever", call: timeout, want: late(),
			module: using("random_get", "i32 i32 -> i32", "", func(f uint32) wt.Code {
				return wt.Forever(wt.Drop(wt.Call(f, wt.I32(0), wt.I32(1<<16))))
			}),
		},
		{
			name: "the time for ever", call: timeout, want: late(),
			module: using("clock_time_get", "i32 i64 i32 -> i32", "", func(f uint32) wt.Code {
				return wt.Forever(wt.Drop(wt.Call(f, wt.I32(0), wt.I64(1), wt.I32(0))))
			}),
		},
	})
}

func TestHostileUseOfDescriptors(t *testing.T) {
	fd, zero, eight, big := wt.Get(0), wt.I32(0), wt.I32(8), wt.I64(0)
	const all = -1 << 31 // so that 200 descriptors from here on are negative
	hostile(t, []attack{
		{name: "a write to what is not open", module: refusing(3, "fd_write", "i32 i32 i32 i32 -> i32", fd, zero, wt.I32(1), eight), want: returns("null")},
		{name: "a write to negative ones", module: refusing(all, "fd_write", "i32 i32 i32 i32 -> i32", fd, zero, wt.I32(1), eight), want: returns("null")},
		{name: "a read of what is not open", module: refusing(3, "fd_read", "i32 i32 i32 i32 -> i32", fd, zero, wt.I32(1), eight), want: returns("null")},
		{name: "a preopened directory", module: refusing(3, "fd_prestat_get", "i32 i32 -> i32", fd, zero), want: returns("null")},
		{
			name: "a file by its absolute path", want: returns("null"),
			module: refusing(0, "path_open", "i32 i32 i32 i32 i32 i64 i64 i32 i32 -> i32", fd, zero, zero, wt.I32(11), zero, big, big, zero, eight),
		},
		{name: "a new directory", module: refusing(0, "path_create_directory", "i32 i32 i32 -> i32", fd, zero, wt.I32(11)), want: returns("null")},
		{name: "another number for a stream", module: refusing(0, "fd_renumber", "i32 i32 -> i32", fd, wt.I32(1<<31-1)), want: returns("null")},
		{name: "a connection from a socket", module: refusing(0, "sock_accept", "i32 i32 i32 -> i32", fd, zero, eight), want: returns("null")},
		{name: "a send to a socket", module: refusing(0, "sock_send", "i32 i32 i32 i32 i32 -> i32", fd, zero, zero, zero, eight), want: returns("null")},
		{name: "a receive from a socket", module: refusing(0, "sock_recv", "i32 i32 i32 i32 i32 i32 -> i32", fd, zero, zero, zero, eight, eight), want: returns("null")},
		{name: "the end of a socket", module: refusing(0, "sock_shutdown", "i32 i32 -> i32", fd, zero), want: returns("null")},
		{name: "a signal to the process", module: refusing(1, "proc_raise", "i32 -> i32", fd), want: returns("null")},
		{
			name: "the streams closed, and written to", want: returns("null"), functions: again,
			module: func() []byte {
				m := wt.New()
				end, write := m.Import(wasi, "fd_close", "i32 -> i32"), m.Import(wasi, "fd_write", "i32 i32 i32 i32 -> i32")
				m.Memory(1).Func("attack", wt.Repeat(0, 2,
					wt.Drop(wt.Call(end, fd)), unless(wt.Call(write, fd, zero, wt.I32(1), eight), badf)), zero)
				return m.Bytes()
			}(),
		},
		{
			name: "a billion vectors", want: either(traps(""), returns("null")),
			module: using("fd_write", "i32 i32 i32 i32 -> i32", "", func(f uint32) wt.Code {
				return wt.Drop(wt.Call(f, wt.I32(1), zero, wt.I32(1<<29+1), eight))
			}),
		},
	})
}

func TestHostileState(t *testing.T) {
	counter := func() []byte {
		g := newGuest()
		g.Data(0, "0123456789")
		count := g.Global(0)
		return g.attack(wt.Call(g.output, wt.GetGlobal(count), wt.I32(1)), wt.SetGlobal(count, wt.Add(wt.GetGlobal(count), wt.I32(1))), wt.I32(0))
	}
	remembering := func(end wt.Code) []byte { // returns if it finds what it left behind
		m := wt.Worker(1)
		seen := m.Global(0)
		m.Func("attack",
			wt.If(wt.Or(wt.GetGlobal(seen), wt.Load(wt.I32(64))), wt.Return(wt.I32(0))),
			wt.SetGlobal(seen, wt.I32(1)), wt.Store(wt.I32(64), wt.I32(1)), end)
		return m.Bytes()
	}
	hostile(t, []attack{
		{name: "left by a call, with Fresh", module: counter(), functions: again, options: pool.Options{Fresh: true}, want: returns("0")},
		{name: "left by a call that trapped", module: remembering(wt.Unreachable()), functions: again, want: traps("unreachable")},
		{name: "left by a call that failed, with Fresh", module: remembering(wt.I32(7)), functions: again, options: pool.Options{Fresh: true}, want: fails(abi.Failed, "", "returned 7")},
	})
}
