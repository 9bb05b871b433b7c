package sched

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the stories in testdata with what happens now")

// TestStories replays the scripts in testdata. A line is a time and an event;
// the lines below it, which begin with ">", are the actions it calls for.
func TestStories(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories in testdata: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			script, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := tell(t, string(script))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(script), got); diff != "" {
				t.Errorf("%s goes otherwise (-told +happened):\n%s", file, diff)
			}
		})
	}
}

// world is a state with the names a story uses for what is in it.
type world struct {
	*State
	modules map[string]*Module
	workers map[int]*Worker
	calls   map[uint64]*Call
}

// tell plays a script and returns it with the actions that happened.
func tell(t *testing.T, script string) string {
	t.Helper()
	var out strings.Builder
	var w *world
	cfg := Config{Max: 3, Full: 10, QueueLimit: 1000, QueueBytes: 1 << 30, CancelGrace: time.Second}
	lines := bufio.NewScanner(strings.NewReader(script))
	for lines.Scan() {
		line := lines.Text()
		if strings.HasPrefix(line, ">") {
			continue
		}
		out.WriteString(line + "\n")
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || strings.HasPrefix(words[0], "#"):
		case words[0] == "config":
			configure(t, &cfg, words[1:])
		default:
			if w == nil {
				w = newWorld(cfg)
			}
			now, err := time.ParseDuration(words[0])
			if err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			for _, a := range w.do(t, now, words[1:]) {
				out.WriteString("> " + a + "\n")
			}
		}
	}
	return out.String()
}

func configure(t *testing.T, cfg *Config, settings []string) {
	t.Helper()
	for _, setting := range settings {
		key, value, _ := strings.Cut(setting, "=")
		n, _ := strconv.Atoi(value)
		d, _ := time.ParseDuration(value)
		switch key {
		case "min":
			cfg.Min = n
		case "max":
			cfg.Max = n
		case "full":
			cfg.Full = n
		case "spare":
			cfg.Spare = n
		case "queue":
			cfg.QueueLimit = n
		case "maxcalls":
			cfg.MaxCalls = n
		case "idle":
			cfg.IdleTimeout = d
		case "grace":
			cfg.CancelGrace = d
		case "maxage":
			cfg.MaxAge = d
		case "preload":
			for name := range strings.SplitSeq(value, ",") {
				cfg.Preload = append(cfg.Preload, &Module{Name: name, Concurrency: 1})
			}
		case "strategy":
			cfg.Strategy = map[string]Strategy{"fewest": Fewest, "fill": Fill, "round-robin": RoundRobin, "random": Random}[value]
		default:
			t.Fatalf("unknown setting %q", setting)
		}
	}
}

func newWorld(cfg Config) *world {
	w := &world{New(cfg), map[string]*Module{}, map[int]*Worker{}, map[uint64]*Call{}}
	for _, m := range cfg.Preload {
		w.modules[m.Name] = m
		w.AddModule(m)
	}
	return w
}

// do plays one event: "submit 1 a timeout=1s", "reply w1 1", "exit w1 started=0" …
func (w *world) do(t *testing.T, now time.Duration, words []string) []string {
	t.Helper()
	arg := func(i int) string {
		if i >= len(words) {
			t.Fatalf("%v: too short", words)
		}
		return words[i]
	}
	number := func(s string) uint64 {
		n, err := strconv.ParseUint(strings.TrimLeft(s, "w"), 10, 64)
		if err != nil {
			t.Fatalf("%v: %q is not a number", words, s)
		}
		return n
	}
	worker := func() *Worker {
		x := w.workers[int(number(arg(1)))]
		if x == nil {
			t.Fatalf("%v: no such worker", words)
		}
		return x
	}
	var e Event
	switch words[0] {
	case "start":
		e = Start()
	case "stop":
		e = Stop()
	case "abort":
		e = Abort()
	case "recycle":
		e = Recycle()
	case "recycle-abort":
		e = RecycleAbort()
	case "tick":
		e = Tick()
	case "resize":
		e = Resize(int(number(arg(1))), int(number(arg(2))))
	case "submit": // several at once: "submit 1..12 a"
		first, last, several := strings.Cut(arg(1), "..")
		if !several {
			last = first
		}
		var all []string
		for id := number(first); id <= number(last); id++ {
			c := w.newCall(t, id, words[2:])
			all = append(all, w.show(w.Step(now, Submit(c)))...)
		}
		return all
	case "cancel":
		e = Cancel(w.calls[number(arg(1))])
	case "ready":
		e = Ready(worker())
	case "reply":
		e = Reply(worker(), w.seqOf(t, worker(), number(arg(2))))
	case "withdrawn":
		e = Withdrawn(worker(), w.seqOf(t, worker(), number(arg(2))))
	case "overgrown":
		e = Overgrown(worker())
	case "exit": // "exit w1 started=7": call 7 was the last that began
		var started uint64
		if len(words) > 2 {
			started = w.seqOf(t, worker(), number(strings.TrimPrefix(words[2], "started=")))
		}
		e = Exited(worker(), started)
	default:
		t.Fatalf("unknown event %v", words)
	}
	return w.show(w.Step(now, e))
}

func (w *world) newCall(t *testing.T, id uint64, words []string) *Call {
	t.Helper()
	name, concurrency, _ := strings.Cut(words[0], "/")
	m := w.modules[name]
	if m == nil {
		n, _ := strconv.Atoi(concurrency)
		m = &Module{Name: name, Concurrency: max(n, 1), Apart: slices.Contains(words, "apart")}
		w.modules[name] = m
		w.AddModule(m)
	}
	c := &Call{ID: id, Module: m, Bytes: 10}
	for _, option := range words[1:] {
		key, value, _ := strings.Cut(option, "=")
		d, _ := time.ParseDuration(value)
		switch key {
		case "timeout":
			c.Timeout = d
		case "queue":
			c.QueueTimeout = d
		case "apart": // said of the module, with its first call
		case "retry":
			c.Retry = true
		case "nested":
			c.Nested = true
		case "bytes":
			c.Bytes, _ = strconv.ParseInt(value, 10, 64)
		default:
			t.Fatalf("unknown option %q", option)
		}
	}
	w.calls[id] = c
	return c
}

// seqOf finds the number that a call was sent with to a worker.
func (w *world) seqOf(t *testing.T, x *Worker, id uint64) uint64 {
	t.Helper()
	for seq := x.first; seq <= x.last; seq++ {
		if c := x.at(seq); c != nil && c.ID == id {
			return seq
		}
	}
	t.Fatalf("worker %d does not have call %d", x.ID, id)
	return 0
}

func (w *world) show(actions []Action) []string {
	var lines []string
	for _, a := range actions {
		line := a.Kind.String()
		if a.Worker != nil {
			w.workers[a.Worker.ID] = a.Worker
			line += fmt.Sprintf(" w%d", a.Worker.ID)
			if (a.Kind == StartWorker || a.Kind == LoadModule) && a.Worker.Module != nil {
				line += " " + a.Worker.Module.Name
			}
		}
		if a.Call != nil {
			line += fmt.Sprintf(" %d", a.Call.ID)
		}
		if a.Kind == SettleCall {
			line += " " + a.Outcome.String()
			if a.Outcome == Lost || a.Outcome == LostNearby {
				line += " may have run"
			}
		}
		lines = append(lines, line)
	}
	return lines
}
