package pool_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmpool/wasmpool/internal/takenover"
	"github.com/wasmpool/wasmpool/pool"
)

// told has something tried, and returns the list that it found.
func told(t *testing.T, p *pool.Pool, what string) []string {
	t.Helper()
	said, err := try(t, p, what, nil)
	var found []string
	if err == nil {
		err = json.Unmarshal([]byte(said), &found)
	}
	if err != nil {
		t.Fatalf("%s: %q, %v", what, said, err)
	}
	return found
}

func TestATakenOverWorkerInheritsNothingButWhatItNeeds(t *testing.T) {
	const secret = "a secret of the program"
	t.Setenv("WASMPOOL_TEST_SECRET", secret)
	for _, wall := range []pool.Sandbox{pool.Default, pool.Off} {
		p := hostilePool(t, pool.Options{Sandbox: wall})
		honest(t, p)
		var names []string
		for _, v := range told(t, p, "environment") {
			name, value, _ := strings.Cut(v, "=")
			names = append(names, name)
			if strings.Contains(value, secret) {
				t.Errorf("sandbox %v: %s holds the program's secret", wall, name)
			}
		}
		slices.Sort(names)
		want := []string{"GODEBUG", "GOGC", "GOMAXPROCS"}
		if raceEnabled {
			want = append(want, "GORACE")
		}
		if diff := cmp.Diff(want, names); diff != "" {
			t.Errorf("sandbox %v: its environment (-want +got):\n%s", wall, diff)
		}
		if args := told(t, p, "arguments"); len(args) != 1 || !strings.HasPrefix(args[0], "wasmpool: ") {
			t.Errorf("sandbox %v: its arguments are %q, want its name only", wall, args)
		}
		open := slices.DeleteFunc(told(t, p, "descriptors"), func(d string) bool { return strings.HasSuffix(d, " anonymous") })
		if diff := cmp.Diff([]string{"0 device", "1 pipe", "2 pipe", "3 socket"}, open); diff != "" {
			t.Errorf("sandbox %v: its descriptors (-want +got):\n%s", wall, diff)
		}
	}
}

// Before the seal a worker needs more: what it tries then is given with its
// module.
func TestATakenOverWorkerMayMakeCodeUntilItIsSealed(t *testing.T) {
	for _, row := range []struct {
		what  string
		args  []string
		early string
	}{
		{what: "map code", early: done},
		{what: "make code", early: done},
		{what: "open", args: []string{"/etc/passwd"}, early: no[0]},
		{what: "connect TCP", early: no[0]},
		{what: "unknown call", early: absent[0]},
	} {
		t.Run(row.what, func(t *testing.T) {
			p := hostilePool(t, pool.Options{}, append([]string{row.what}, row.args...)...)
			unbroken(t, p)
			if got := cameTo(try(t, p, "early", nil)); got != row.early {
				t.Errorf("before the seal it came to %q, want %q", got, row.early)
			}
		})
	}
	for _, what := range []string{"fork", "executable memory file", "leave namespaces", "signal everybody", "io_uring"} {
		t.Run(what, func(t *testing.T) {
			unbroken(t, hostilePool(t, pool.Options{}))
			p := hostilePool(t, pool.Options{}, what)
			_, err := try(t, p, "early", nil)
			var late *pool.NotReadyError
			if !errors.As(err, &late) || !strings.Contains(err.Error(), "bad system call") {
				t.Errorf("before the seal it came to %v, want the end of the process", err)
			}
			if got, err := p.Call(within(t), "echo", "add", 1, 2); err != nil || string(got) != "3" {
				t.Errorf("add(1, 2) of another module = %s, %v, want 3", got, err)
			}
		})
	}
}

func TestATakenOverWorkerThatLiesOrLagsIsEnded(t *testing.T) {
	for _, row := range []struct {
		what  string
		end   string
		call  []pool.CallOption
		wall  pool.Sandbox
		rings bool // it is about them
	}{
		{what: "garbage", end: "protocol"},
		{what: "4 GiB", end: "exceeds the maximum"},
		{what: "unknown reply", end: "reply to call 1099511627776"},
		{what: "second hello", end: "second hello"},
		{what: "loaded again", end: "no module being loaded"},
		{what: "parent's frame", end: "frame of stop is not accepted"},
		{what: "half a frame", end: "worker"},
		{what: "a byte at a time", end: "run time exceeds its limit", call: []pool.CallOption{pool.Timeout(soon)}},
		{what: "a tail too far", end: "tail of a ring", rings: true},
		{what: "a tail that goes back", end: "tail of a ring", rings: true},
		{what: "wake-ups without end", end: "woke its parent more often than that slept", rings: true},
		{what: "scribbles everywhere", end: "", rings: true, call: []pool.CallOption{pool.Timeout(soon)}},
		// The first process of a namespace, which it is behind the wall, cannot stop itself.
		{what: "stop", end: "run time exceeds its limit", call: []pool.CallOption{pool.Timeout(soon)}, wall: pool.Off},
	} {
		t.Run(row.what, func(t *testing.T) {
			p := hostilePool(t, pool.Options{Sandbox: row.wall})
			if row.rings && transport() != pool.SharedMemory {
				t.Skip("there are no rings")
			}
			honest(t, p)
			before := measure(t)
			if _, err := try(t, p, row.what, nil, row.call...); err == nil || !strings.Contains(err.Error(), row.end) {
				t.Errorf("it came to %v, want an error that says %q", err, row.end)
			}
			honest(t, p)
			before.compareMemory(t)
			if err := p.Stop(within(t)); err != nil {
				t.Error(err)
			}
			before.compareRest(t)
		})
	}
}

func TestDescriptorsThatAWorkerSendsStayNowhere(t *testing.T) {
	p := hostilePool(t, pool.Options{})
	honest(t, p)
	before := measure(t)
	for range 3 {
		// The kernel bounds how many are on their way, and a parent that reads them as
		// wake-ups ends a worker for so many.
		got, err := try(t, p, "send descriptors", nil)
		ended := err != nil && strings.Contains(err.Error(), "woke its parent more often")
		if !ended && (err != nil || got != done && !strings.HasPrefix(got, refusedBy+"too many references")) {
			t.Errorf("it came to %q, %v, want it done, too many references, or its end", got, err)
		}
		honest(t, p)
	}
	if now := openDescriptors(t); now > before.descriptors {
		t.Errorf("%d descriptors are open after others were sent, %d before", now, before.descriptors)
	}
	// The parent can still hand over its own.
	q := hostilePool(t, pool.Options{CacheDir: t.TempDir()}, "nothing")
	if got, err := q.Call(within(t), "echo", "add", 1, 2); err != nil || string(got) != "3" {
		t.Errorf("add(1, 2) of a module with a file = %s, %v, want 3", got, err)
	}
}

func TestTheLastWordsOfAWorkerAreNoMoreThanWords(t *testing.T) {
	const forged = "\x1b[2J\x1b]0;owned\x07panic: all is well\nwasmpool: worker 1 is trusted\n"
	control := regexp.MustCompile(`[\x00-\x1f\x7f]`)
	p := hostilePool(t, pool.Options{})
	for _, code := range []string{"0", "42"} {
		_, err := try(t, p, "exit", []string{code, forged})
		var lost *pool.UnexpectedExitError
		if !errors.As(err, &lost) || code == "42" && lost.Code != 42 || lost.Signal != "" || !lost.Started || !strings.HasSuffix(lost.Stderr, forged) {
			t.Errorf("exit(%s) came to %#v, want its exit and its words", code, err)
		}
		if err != nil && control.MatchString(err.Error()) {
			t.Errorf("exit(%s): the error's text has control characters: %q", code, err)
		}
		honest(t, p)
	}
	_, err := try(t, p, "throw", []string{forged})
	var thrown *pool.WorkerError
	if !errors.As(err, &thrown) || thrown.Message != forged || control.MatchString(err.Error()) {
		t.Errorf("throw came to %q, want its message, escaped in the error's text", err)
	}
}

func TestAWorkerThatDoesNotStopIsEnded(t *testing.T) {
	p := hostilePool(t, pool.Options{StopTimeout: soon})
	honest(t, p)
	if _, err := try(t, p, "stay", nil); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	_ = p.Stop(within(t)) // it may say that a worker had to be killed
	if took := time.Since(begun); took > patience/2 || p.ProcessCount() != 0 {
		t.Errorf("after %v %d processes are left of a stopped pool", took, p.ProcessCount())
	}
}

func TestAWorkerThatDiesForEverSpinsNothing(t *testing.T) {
	p := hostilePool(t, pool.Options{}, "exit", "9", "no")
	begun := time.Now()
	for range 6 {
		if _, err := try(t, p, "nothing", nil); err == nil {
			t.Fatal("it lives")
		}
		if got, err := p.Call(within(t), "echo", "add", 1, 2); err != nil || string(got) != "3" {
			t.Fatalf("add(1, 2) of another module = %s, %v, want 3", got, err)
		}
	}
	// Pauses of 10, 20, 40, 80 and 160 ms lie between the six.
	if took := time.Since(begun); took < 310*time.Millisecond {
		t.Errorf("six starts in a row took %v, want pauses between them of 310 ms in all", took)
	}
}

func TestAWorkerCannotChangeTheCodeThatItIsHanded(t *testing.T) {
	for _, row := range []struct{ what, want string }{
		{"change handed", refusedBy + "bad file descriptor"},
		{"map handed", no[0]},
	} {
		p := hostilePool(t, pool.Options{CacheDir: t.TempDir()}, row.what)
		honest(t, p)
		if got := cameTo(try(t, p, "early", nil)); got != row.want {
			t.Errorf("%s came to %q, want %q", row.what, got, row.want)
		}
	}
}

func TestTheFileOfACompilingWorkerIsBounded(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector needs more addresses than a limit of compiling allows")
	}
	dir := t.TempDir()
	p := hostilePool(t, pool.Options{CacheDir: dir}, "flood")
	if _, err := try(t, p, "nothing", nil); err == nil {
		t.Error("a flooded file was taken for compiled code")
	}
	if got, err := p.Call(within(t), "echo", "add", 1, 2); err != nil || string(got) != "3" {
		t.Errorf("add(1, 2) of another module = %s, %v, want 3", got, err)
	}
	_ = filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		if info, err := e.Info(); err == nil && info.Size() > 4<<20 {
			t.Errorf("%s has %d bytes", path, info.Size())
		}
		return nil
	})
}

func TestAWorkerThatSaysItsWallIsWholeIsNotBelieved(t *testing.T) {
	liar := takenOver(t, takenover.Liar)
	p := hostilePool(t, pool.Options{Runner: liar, StartTimeout: time.Second, Limits: pool.Limits{CompileTime: time.Second}})
	_, _ = p.Call(within(t), "echo", "add", 1, 2) // it serves nothing
	layers := p.Stats().Sandbox
	if len(layers) == 0 {
		t.Error("nothing is known of its wall")
	}
	for _, l := range layers {
		if l.Name == "syscalls" && l.On {
			t.Errorf("%s is believed to be on; it can be seen that it is not", l.Name)
		}
	}
	strict := hostilePool(t, pool.Options{Runner: liar, Sandbox: pool.Strict})
	if _, err := strict.Call(within(t), "echo", "add", 1, 2); err == nil || !strings.Contains(err.Error(), "lacks what is required: ") || !strings.Contains(err.Error(), "syscalls (") {
		t.Errorf("Strict: %v, want that layers are missing", err)
	}
}

func TestAWorkerThatDripsItsHelloIsNotWaitedFor(t *testing.T) {
	p := hostilePool(t, pool.Options{Runner: takenOver(t, takenover.Drip), StartTimeout: 300 * time.Millisecond})
	_, err := p.Call(within(t), takenover.Hostile, "nothing")
	var late *pool.NotReadyError
	if !errors.As(err, &late) {
		t.Errorf("it came to %v, want that it was not ready", err)
	}
}
