package pool_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"unicode"

	wt "github.com/wasmpool/wasmpool/internal/wasmtest"
	"github.com/wasmpool/wasmpool/pool"
)

// flooding is a module that writes its first 64 KiB to a stream again and again:
// all of it one byte, and the last one another.
func flooding(stream, times int32, with, last byte) []byte {
	m := wt.New()
	write := m.Import(wasi, "fd_write", "i32 i32 i32 i32 -> i32")
	m.Memory(2)
	at := wt.I32(1 << 16) // of the vector, behind what is written
	m.Func("attack",
		wt.MemoryFill(wt.I32(0), wt.I32(int32(with)), wt.I32(1<<16)), wt.MemoryFill(wt.I32(1<<16-1), wt.I32(int32(last)), wt.I32(1)),
		wt.Store(wt.Add(at, wt.I32(4)), wt.I32(1<<16)),
		wt.Repeat(0, times, unless(wt.Call(write, wt.I32(stream), at, wt.I32(1), wt.I32(1<<16+8)), 0)),
		wt.I32(0))
	return m.Bytes()
}

func TestHostileFloods(t *testing.T) {
	times := int32(1600) // 100 MB
	if raceEnabled || testing.Short() {
		times = 160
	}
	logging := func() []byte {
		g := newGuest()
		return g.attack(wt.Repeat(0, 100_000, wt.Call(g.log, wt.I32(8), wt.I32(0), wt.I32(1000))), wt.I32(0))
	}
	hostile(t, []attack{
		{name: "100 MB of long lines", module: flooding(1, times, 'x', '\n'), want: returns("null")},
		{name: "100 MB without a line's end", module: flooding(2, times, 'x', 'x'), want: returns("null")},
		{name: "a million empty lines", module: flooding(1, times/100, '\n', '\n'), want: returns("null")},
		{name: "a hundred thousand records", module: logging(), want: returns("null")},
	})
}

// TestAFloodThatNobodyTakesIsDroppedAndCounted holds that a hook which does not
// return costs a bounded number of records, and no call.
func TestAFloodThatNobodyTakesIsDroppedAndCounted(t *testing.T) {
	before := measure(t)
	release := make(chan struct{})
	free := sync.OnceFunc(func() { close(release) })
	defer free()
	p := start(t, pool.Options{
		Max: 1, Logger: quiet, Modules: map[string]pool.Module{"hostile": {Bytes: flooding(1, 20, '\n', '\n')}},
		Events: pool.Events{Log: func(pool.LogRecord) { <-release }},
	})
	for range 2 {
		if got, err := p.Call(within(t), "hostile", "attack"); err != nil || string(got) != "null" {
			t.Errorf("attack() = %s, %v, want null", got, err)
		}
	}
	if n := p.Stats().EventsDropped; n == 0 {
		t.Error("no record was dropped, or none counted")
	}
	if now := liveHeap(); now > before.heap+keptBytes {
		t.Errorf("the heap holds %d MiB of records that nobody takes, %d before", now>>20, before.heap>>20)
	}
	free()
}

// forgery is what would clear a terminal, name its window, and be another
// record, if it came through.
const forgery = "\x1b[2J\x1b]0;mine\x07\rtime=2001-01-01T00:00:00Z level=ERROR msg=\"all is lost\"\x00\u202e\u009b31m\x7f"

// TestHostileTextNeverReachesATerminal holds that what a guest says is text in
// every log and in every error, whatever the handler does.
func TestHostileTextNeverReachesATerminal(t *testing.T) {
	t.Parallel()
	g := wt.New()
	write := g.Import(wasi, "fd_write", "i32 i32 i32 i32 -> i32")
	record := g.Import("wasmpool", "log", "i32 i32 i32 ->")
	failing := g.Import("wasmpool", "fail", "i32 i32 ->")
	g.Memory(1)
	text := forgery + "\n" + forgery
	size, vector := wt.I32(int32(len(text))), wt.I32(4096)
	g.Data(0, text)
	g.Func("attack",
		wt.Store(wt.Add(vector, wt.I32(4)), size),
		wt.Drop(wt.Call(write, wt.I32(1), vector, wt.I32(1), wt.I32(4104))),
		wt.Drop(wt.Call(write, wt.I32(2), vector, wt.I32(1), wt.I32(4104))),
		wt.Call(record, wt.I32(8), wt.I32(0), size), wt.Call(failing, wt.I32(0), size), wt.I32(1))
	g.Func("trap", wt.Store(wt.Add(vector, wt.I32(4)), size),
		wt.Drop(wt.Call(write, wt.I32(2), vector, wt.I32(1), wt.I32(4104))), wt.Unreachable())

	for name, logger := range map[string]func(w *bytes.Buffer) *slog.Logger{
		"text": func(w *bytes.Buffer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) },
		"JSON": func(w *bytes.Buffer) *slog.Logger { return slog.New(slog.NewJSONHandler(w, nil)) },
		"bare": func(w *bytes.Buffer) *slog.Logger { return slog.New(bare{slog.DiscardHandler, w}) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer // written by one goroutine of the pool, which ends with it
			p := start(t, pool.Options{Max: 1, Logger: logger(&out), Modules: map[string]pool.Module{"hostile": {Bytes: g.Bytes()}}})
			for _, function := range []string{"attack", "trap", "attack"} {
				_, err := p.Call(within(t), "hostile", function)
				printableOnly(t, "the error of "+function, as[*pool.WorkerError](t, err).Error())
			}
			if err := p.Stop(within(t)); err != nil {
				t.Fatal(err)
			}
			said := 0
			for line := range strings.Lines(out.String()) {
				printableOnly(t, "a line of the log", strings.TrimSuffix(line, "\n"))
				if strings.HasPrefix(line, "time=2001") {
					t.Errorf("a forged record: %q", line)
				}
				said += strings.Count(line, "all is lost")
			}
			if said == 0 {
				t.Error("nothing of what the guest said is in the log")
			}
		})
	}
}

// bare is a handler that writes messages as they are, as the one does that
// package slog begins with.
type bare struct {
	slog.Handler
	w *bytes.Buffer
}

func (bare) Enabled(context.Context, slog.Level) bool { return true }

func (h bare) Handle(_ context.Context, r slog.Record) error {
	_, err := h.w.WriteString(r.Message + "\n")
	return err
}

func printableOnly(t *testing.T, what, text string) {
	t.Helper()
	if i := strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
		t.Errorf("%s holds %q", what, text)
	}
}
