package main

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestCallPrintsResultsOnStandardOutputOnly(t *testing.T) {
	t.Parallel()
	echo := module(t, "echo")
	for _, row := range []struct {
		name  string
		stdin string
		args  []string
		want  outcome
	}{
		{"JSON", "", []string{"greet", `"world"`}, outcome{0, `"Hello, world!"` + "\n", ""}},
		{"several arguments", "", []string{"echo", `1`, `null`, `{"a": [true]}`}, outcome{0, `[1,null,{"a":[true]}]` + "\n", ""}},
		{"none", "", []string{"echo"}, outcome{0, "[]\n", ""}},
		{"no result", "", []string{"log", "4", `"careful"`}, outcome{0, "null\n", "[PID WARN] careful\n"}},
		{"strings as they are", "", []string{"-s", "echo", `5`, `a"b`, "-"}, outcome{0, `["5","a\"b","-"]` + "\n", ""}},
		{"a number below zero is no flag", "", []string{"add", "-5", "2"}, outcome{0, "-3\n", ""}},
		{"an argument from standard input", " [1, 2] \n", []string{"echo", "0", "-"}, outcome{0, "[0,[1,2]]\n", ""}},
		{"large numbers stay as they are", "", []string{"echo", "12345678901234567890", "1.10"}, outcome{0, "[12345678901234567890,1.10]\n", ""}},
		{"bytes in and out", "any\x00bytes", []string{"--raw", "echo"}, outcome{0, "any\x00bytes", ""}},
		{"the module's environment", "", []string{"--env", "A=x=y", "--env", "B=", "env", `"A"`}, outcome{0, `"x=y"` + "\n", ""}},
		{"not that of the host", "", []string{"env", `"SECRET"`}, outcome{0, "null\n", ""}},
		{"what the module prints", "", []string{"print", "1", `"one\ntwo"`}, outcome{0, "null\n", "[PID stdout] one\n[PID stdout] two\n"}},
		{"a digest that is right", "", []string{"--sha256", digestOf(t, "echo"), "add", "1"}, outcome{0, "1\n", ""}},
		{"a time that suffices", "", []string{"--timeout", "1m", "add", "1"}, outcome{0, "1\n", ""}},
		{"several calls", "", []string{"--repeat", "3", "counter"}, outcome{0, "1\n2\n3\n", ""}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			wasmpool(t, row.stdin, append([]string{"call", echo}, row.args...)...).check(t, row.want)
		})
	}
}

func TestCallTakesFlagsBeforeTheModuleToo(t *testing.T) {
	t.Parallel()
	wasmpool(t, "", "call", "-s", module(t, "echo"), "--timeout=1m", "greet", "world").check(t, outcome{0, `"Hello, world!"` + "\n", ""})
	wasmpool(t, "", "call", "-s", "--", module(t, "echo"), "greet", "world").check(t, outcome{0, `"Hello, world!"` + "\n", ""})
}

func TestCallThatFailsSaysWhyInOneSentence(t *testing.T) {
	t.Parallel()
	echo := module(t, "echo")
	for _, row := range []struct {
		name string
		args []string
		want string // standard error
	}{
		{"the guest's error", []string{echo, "fail", `"Refused"`, `"not today"`, "3"}, "wasmpool: call \"fail\": Refused: not today\n"},
		{"with all that it holds", []string{"--verbose", echo, "fail", `"Refused"`, `"not today"`, "3"}, "wasmpool: call \"fail\": Refused: not today\n  data: 3\n"},
		{"an error without words", []string{echo, "fail"}, "wasmpool: call \"fail\": […]returned 1[…]\n"},
		{"a trap", []string{echo, "trap"}, "wasmpool: call \"trap\": Trap: unreachable\n"},
		{"a trap with its stack", []string{"--verbose", echo, "trap"}, "wasmpool: call \"trap\": Trap: unreachable\n  stack:\n    […]worker_trap[…]\n"},
		{"an exit", []string{echo, "exit", "3"}, "wasmpool: call \"exit\": Exit: exited with code 3\n"},
		{"no such function", []string{echo, "gret"}, "wasmpool: call \"gret\": FunctionNotFound: […]did you mean \"greet\"?[…]\n"},
		{"no function at all", []string{echo, "_start"}, "wasmpool: call \"_start\": FunctionNotFound: \"_start\" cannot be the name of a worker function\n"},
		{"a runaway", []string{"--timeout", "50ms", echo, "loop"}, "wasmpool: call \"loop\": run time exceeds its limit of 50ms\n"},
		{"the first of many", []string{"--repeat", "1000", "--workers", "2", echo, "fail", `""`, `"no"`}, "wasmpool: call \"fail\": no\n"},
		{"no module", []string{"/nowhere/x.wasm", "f"}, "wasmpool: module \"/nowhere/x.wasm\": not found: there is no file /nowhere/x.wasm\n"},
		{"a directory", []string{"/", "f"}, "wasmpool: module \"/\": not found: / is not a regular file\n"},
		{"another kind of file", []string{"main.go", "f"}, "wasmpool: module \"main.go\": not a module: […]it does not begin with the magic number of WebAssembly\n"},
		{"an unknown import", []string{module(t, "hostile-imports"), "f"}, "wasmpool: module […]: unknown import: […]\"env\".\"missing\" (i32) -> i64: nothing provides it[…]\n"},
		{"a command", []string{module(t, "hostile-command"), "f"}, "wasmpool: module […]: wrong shape: […]GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared[…]\n"},
		{"a module that does not start", []string{module(t, "hostile-init-fail"), "f"}, "wasmpool: module […]: init failed: […]no database\n"},
		{"another digest", []string{"--sha256", strings.Repeat("0", 64), echo, "add"}, "wasmpool: module […]: wrong digest: its SHA-256 is " + digestOf(t, "echo") + "; want " + strings.Repeat("0", 64) + "\n"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got := wasmpool(t, "", append([]string{"call"}, row.args...)...)
			got.check(t, outcome{1, "", row.want})
		})
	}
}

func TestCallSaysThatAResultIsNotJSON(t *testing.T) {
	t.Parallel()
	wasmpool(t, "text", "call", "--raw", module(t, "echo"), "echo").check(t, outcome{0, "text", ""})
	// The module puts a variable between quotes as it is.
	got := wasmpool(t, "", "call", "--env", `A=x"y`, module(t, "echo"), "env", `"A"`)
	got.check(t, outcome{1, "", "wasmpool: call \"env\": the result is not JSON; --raw prints it as it is\n"})
}

func TestCallReportsErrorsAsJSON(t *testing.T) {
	t.Parallel()
	echo := module(t, "echo")
	for _, row := range []struct {
		name string
		args []string
		kind string
	}{
		{"of the guest", []string{echo, "fail", `"Refused"`, `"not today"`, "3"}, "guest"},
		{"of a limit", []string{"--timeout", "50ms", echo, "loop"}, "limit"},
		{"of the module", []string{module(t, "hostile-imports"), "f"}, "module"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got := wasmpool(t, "", append([]string{"call", "--json"}, row.args...)...)
			var parsed struct{ Error failure }
			if err := json.Unmarshal([]byte(got.stderr), &parsed); err != nil || got.code != 1 || got.stdout != "" {
				t.Fatalf("got %+v (%v), want one JSON object on standard error and exit code 1", got, err)
			}
			if parsed.Error.Kind != row.kind || parsed.Error.Message == "" {
				t.Errorf("got %+v, want an error of kind %q with a message", parsed.Error, row.kind)
			}
			if g := parsed.Error.Guest; row.kind == "guest" && (g == nil || g.Name != "Refused" || g.Message != "not today" || string(g.Data) != "3") {
				t.Errorf("got the guest's error %+v, want its name, message and data", g)
			}
		})
	}
}

func TestCallSharesRepeatedCallsAmongWorkers(t *testing.T) {
	t.Parallel()
	got := wasmpool(t, "", "call", "--repeat", "40", "--workers", "3", "--stats", "--json", module(t, "echo"), "sleep", "10")
	if want := strings.Repeat("10\n", 40); got.stdout != want || got.code != 0 {
		t.Fatalf("got %+v, want 40 results", got)
	}
	var parsed struct{ Stats statistics }
	if err := json.Unmarshal([]byte(got.stderr), &parsed); err != nil {
		t.Fatalf("standard error is %q, want the statistics: %v", got.stderr, err)
	}
	served := 0
	for _, w := range parsed.Stats.Workers {
		served += w.Served
	}
	if n := len(parsed.Stats.Workers); parsed.Stats.Calls != 40 || parsed.Stats.Returned != 40 || served != 40 || n < 2 || n > 3 {
		t.Errorf("got %+v, want 40 calls on two or three workers", parsed.Stats)
	}
}

func TestCallPrintsStatistics(t *testing.T) {
	t.Parallel()
	got := wasmpool(t, "", "call", "--stats", module(t, "echo"), "add")
	got.check(t, outcome{0, "0\n", "1 calls, of which 1 returned\nwaited   mean […]\nran      mean […]\n[…]pid  calls […]memory\n[…]  1  […]\n"})
}

func TestInterruptEndsCalls(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		args []string
	}{
		{"on one worker", []string{"--repeat", "1000000", module(t, "echo"), "print", "1", `"working"`}},
		{"on two", []string{"--repeat", "1000000", "--workers", "2", module(t, "echo"), "log", "0", `"working"`}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			cmd := prepared(t, append([]string{"call"}, row.args...)...)
			stderr, err := cmd.StderrPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewReader(stderr)
			first, err := lines.ReadString('\n')
			if plain(first) == "" && err == nil {
				first, err = lines.ReadString('\n')
			}
			if err != nil || !strings.Contains(first, "working") {
				t.Errorf("the first line is %q (%v), want what the module prints", first, err)
			}
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
			rest, err := io.ReadAll(lines)
			if err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait() // the exit code says it
			if code := cmd.ProcessState.ExitCode(); code != 1 {
				t.Errorf("%v, want exit code 1", cmd.ProcessState)
			}
			if all := strings.Split(strings.TrimSpace(string(rest)), "\n"); !slices.Contains(all, "wasmpool: interrupted") {
				t.Errorf("standard error ends with %q, want that it was interrupted", all[len(all)-1])
			}
		})
	}
}

func TestInterruptEndsARunaway(t *testing.T) {
	t.Parallel()
	// The call is made when standard input has ended, which the command waits for
	// with the handler of the signal in place.
	cmd := prepared(t, "call", module(t, "echo"), "loop", "-")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(stdin, strings.Repeat(" ", 1<<17)+"1"); err != nil { // more than a pipe holds: it reads
		t.Fatal(err)
	}
	if err := stdin.Close(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // the exit code says it
	if code := cmd.ProcessState.ExitCode(); code != 1 || plain(stderr.String()) != "wasmpool: interrupted\n" {
		t.Errorf("%v, standard error %q; want exit code 1 and that it was interrupted", cmd.ProcessState, stderr.String())
	}
}
