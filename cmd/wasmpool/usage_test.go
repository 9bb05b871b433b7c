package main

import (
	"os/exec"
	"strings"
	"testing"
)

func TestWrongCommandLinesAreToldInOneSentence(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, stdin string
		args        []string
		want        string // after "wasmpool: "
	}{
		{"nothing", "", nil, `a command is needed; see "wasmpool help"`},
		{"no such command", "", []string{"run"}, `there is no command "run"; see "wasmpool help"`},
		{"no such flag", "", []string{"call", "--time", "1s"}, `there is no flag --time; see "wasmpool help call"`},
		{"no such short flag", "", []string{"inspect", "m.wasm", "-x"}, `there is no flag -x; see "wasmpool help inspect"`},
		{"a flag without its value", "", []string{"call", "--timeout"}, `flag --timeout needs a value; see "wasmpool help call"`},
		{"no duration", "", []string{"call", "--timeout", "5", "m", "f"}, `flag --timeout is "5"; want a duration of more than zero, such as 500ms or 2s; see "wasmpool help call"`},
		{"a duration below zero", "", []string{"call", "--timeout=-1s", "m", "f"}, `flag --timeout is "-1s"; want a duration of more than zero, such as 500ms or 2s; see "wasmpool help call"`},
		{"no variable", "", []string{"call", "--env", "A", "m", "f"}, `flag --env is "A"; want NAME=VALUE; see "wasmpool help call"`},
		{"no number", "", []string{"call", "--workers", "0", "m", "f"}, `flag --workers is "0"; want a number from 1 to 1000; see "wasmpool help call"`},
		{"no digest", "", []string{"call", "--sha256", "abc", "m", "f"}, `flag --sha256 is "abc"; want 64 hexadecimal digits; see "wasmpool help call"`},
		{"a value that a flag does not take", "", []string{"call", "--raw=7", "m", "f"}, `flag --raw is "7"; want true, false, or nothing; see "wasmpool help call"`},
		{"no module", "", []string{"call"}, `call needs a module and a function; see "wasmpool help call"`},
		{"no function", "", []string{"call", "m.wasm"}, `call needs a module and a function; see "wasmpool help call"`},
		{"a module without a name", "", []string{"call", "", "f"}, `call needs a module, but its name is empty; see "wasmpool help call"`},
		{"text without quotes", "", []string{"call", "m.wasm", "greet", "1", "world"}, `argument 2 is not JSON: "world"; quote text as '"world"', or take each argument as a string with -s; see "wasmpool help call"`},
		{"text that is hard to quote", "", []string{"call", "m.wasm", "greet", "it's"}, `argument 1 is not JSON: "it's"; quote text as '"text"', or take each argument as a string with -s; see "wasmpool help call"`},
		{"a flag among the arguments", "", []string{"call", "m.wasm", "greet", "--stats"}, `argument 1 is not JSON: "--stats"; flags stand before the function; see "wasmpool help call"`},
		{"standard input that is not JSON", "{", []string{"call", "m.wasm", "greet", "-"}, `argument 1, which is standard input, is not JSON; see "wasmpool help call"`},
		{"standard input twice", "1", []string{"call", "m.wasm", "greet", "-", "-"}, `only one argument can be -, which is standard input; see "wasmpool help call"`},
		{"bytes and arguments", "", []string{"call", "--raw", "m.wasm", "greet", "1"}, `--raw takes the arguments from standard input, but "1" is one, too; see "wasmpool help call"`},
		{"nothing to inspect", "", []string{"inspect"}, `inspect needs one module; see "wasmpool help inspect"`},
		{"too much to inspect", "", []string{"inspect", "a", "b"}, `inspect needs one module; see "wasmpool help inspect"`},
		{"an argument of doctor", "", []string{"doctor", "net"}, `doctor takes no argument, but got "net"; see "wasmpool help doctor"`},
		{"no shell", "", []string{"completion"}, `completion needs one shell: bash, zsh, fish; see "wasmpool help completion"`},
		{"another shell", "", []string{"completion", "tcsh"}, `there is no completion for "tcsh"; want bash, zsh, fish; see "wasmpool help completion"`},
		{"an argument of version", "", []string{"version", "2"}, `version takes no argument, but got "2"; see "wasmpool help version"`},
		{"no help", "", []string{"help", "me"}, `there is no command "me"; see "wasmpool help help"`},
		{"too much help", "", []string{"help", "call", "me"}, `help takes one command, but got "me", too; see "wasmpool help help"`},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			wasmpool(t, row.stdin, row.args...).check(t, outcome{2, "", "wasmpool: " + row.want + "\n"})
		})
	}
}

func TestHelpDescribesEveryCommandAndItsFlags(t *testing.T) {
	t.Parallel()
	all := wasmpool(t, "", "help")
	for _, want := range []string{"Exit codes: 0 it worked, 1 it failed", "2 the\ncommand line is wrong", "pool.Options.Runner"} {
		if !strings.Contains(all.stdout, want) {
			t.Errorf("help does not say %q:\n%s", want, all.stdout)
		}
	}
	for _, c := range commands() {
		if !strings.Contains(all.stdout, c.name) || !strings.Contains(all.stdout, c.summary) {
			t.Errorf("help does not name %s, %q", c.name, c.summary)
		}
		one := wasmpool(t, "", "help", c.name)
		if one.code != 0 || one.stderr != "" || !strings.HasPrefix(one.stdout, "Usage: wasmpool "+c.name) {
			t.Errorf("help %s: got %+v", c.name, one)
		}
		for _, f := range flagsOf(c) {
			if !strings.Contains(one.stdout, "\n  "+dashed(f.Name)) {
				t.Errorf("help %s does not describe %s", c.name, dashed(f.Name))
			}
		}
		if asked := wasmpool(t, "", c.name, "--help"); asked != one {
			t.Errorf("%s --help: got %+v, want the same as help %s", c.name, asked, c.name)
		}
	}
	if asked := wasmpool(t, "", "--help"); asked != all {
		t.Errorf("--help: got %+v, want the same as help", asked)
	}
}

func TestVersionNamesTheABI(t *testing.T) {
	t.Parallel()
	wasmpool(t, "", "version").check(t, outcome{0, "wasmpool […], worker ABI 1, go[…], […]/[…]\n", ""})
	wasmpool(t, "", "version", "--json").check(t, outcome{0, `{"version":"[…]","abi":1,"go":"go[…]","platform":"[…]/[…]"}` + "\n", ""})
}

func TestCompletionScriptsAreParsedByTheirShells(t *testing.T) {
	t.Parallel()
	for _, shell := range shells {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			script := wasmpool(t, "", "completion", shell)
			if script.code != 0 || script.stderr != "" {
				t.Fatalf("got %+v, want a script", script)
			}
			for _, want := range []string{"call", "inspect", "timeout", "sha256", "bash zsh fish"} {
				if !strings.Contains(script.stdout, want) {
					t.Errorf("the script does not complete %q:\n%s", want, script.stdout)
				}
			}
			path, err := exec.LookPath(shell)
			if err != nil {
				t.Skipf("%s is not installed: its script is not parsed", shell)
			}
			cmd := exec.CommandContext(t.Context(), path, "-n")
			cmd.Stdin = strings.NewReader(script.stdout)
			if output, err := cmd.CombinedOutput(); err != nil || len(output) > 0 {
				t.Errorf("%s -n: %v\n%s", shell, err, output)
			}
		})
	}
}

func TestCompletionInBash(t *testing.T) {
	t.Parallel()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("bash is not installed")
	}
	script := bashCompletion()
	for _, row := range []struct{ line, want string }{
		{"wasmpool ", "call inspect doctor completion version help"},
		{"wasmpool co", "completion"},
		{"wasmpool completion z", "zsh"},
		{"wasmpool call --ti", "--timeout"},
		{"wasmpool inspect ../../testdata/wasm/ec", "../../testdata/wasm/echo.wasm"},
	} {
		words := strings.Split(row.line, " ")
		try := script + "COMP_WORDS=("
		for _, word := range words {
			try += quoted(word) + " "
		}
		try += ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_wasmpool\necho \"${COMPREPLY[*]}\"\n"
		output, err := exec.CommandContext(t.Context(), bash, "-c", try).Output()
		if got := strings.TrimSpace(string(output)); err != nil || got != row.want {
			t.Errorf("%q is completed by %q (%v), want %q", row.line, got, err, row.want)
		}
	}
}
