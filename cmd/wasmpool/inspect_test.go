package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/wasmpool/wasmpool/internal/guestbuild"
	"github.com/wasmpool/wasmpool/pool"
)

// digestOf is the SHA-256 of a committed module.
func digestOf(t *testing.T, name string) string {
	t.Helper()
	sums, err := os.ReadFile("../../testdata/wasm/SHA256SUMS")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(sums)) {
		if sum, file, _ := strings.Cut(strings.TrimSpace(line), "  "); file == name+".wasm" {
			return sum
		}
	}
	t.Fatalf("SHA256SUMS has no %s.wasm", name)
	return ""
}

func TestInspectDescribesAModule(t *testing.T) {
	t.Parallel()
	path := module(t, "dispatch")
	wasmpool(t, "", "inspect", path).check(t, outcome{0, `module     ` + path + `
size       307 bytes
sha256     ` + digestOf(t, "dispatch") + `
shape      reactor
memory     64 KiB to 4 GiB
functions  direct
           helper
           (and others, if the module knows more names)
imports    wasmpool.function (i32, i32) -> i32
           wasmpool.output (i32, i32)
`, ""})
}

func TestInspectDescribesWhatIsNotThere(t *testing.T) {
	t.Parallel()
	path := module(t, "server")
	wasmpool(t, "", "inspect", path).check(t, outcome{0, `module     ` + path + `
size       50 bytes
sha256     ` + digestOf(t, "server") + `
shape      server
memory     64 KiB to 4 GiB
functions  none
imports    none
`, ""})
}

func TestInspectSaysThatAGoWorkerLooksNamesUp(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "worker.wasm")
	if err := os.WriteFile(path, guestbuild.Go(t, "../../examples/gowork/worker"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := wasmpool(t, "", "inspect", path)
	got.check(t, outcome{0, "module     […]\nsize       […] MB\n[…]functions  (the module looks names up itself: only running it would tell)\nimports    […]", ""})
}

func TestInspectPrintsJSON(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--json", module(t, "echo")}, {module(t, "echo"), "--json"}} {
		got := wasmpool(t, "", append([]string{"inspect"}, args...)...)
		var info pool.ModuleInfo
		if err := json.Unmarshal([]byte(got.stdout), &info); err != nil || got.code != 0 || got.stderr != "" {
			t.Fatalf("inspect %q: got %+v (%v), want JSON", args, got, err)
		}
		if info.SHA256 != digestOf(t, "echo") || info.Shape != "reactor" || len(info.Functions) < 10 || len(info.Imports) < 10 {
			t.Errorf("inspect %q: got %+v, want the module's digest, shape, functions and imports", args, info)
		}
	}
}

func TestInspectSaysWhyItCannot(t *testing.T) {
	t.Parallel()
	wasmpool(t, "", "inspect", "/nowhere/x.wasm").check(t, outcome{1, "", "wasmpool: module \"/nowhere/x.wasm\": not found: there is no file /nowhere/x.wasm\n"})
	wasmpool(t, "", "inspect", "main.go").check(t, outcome{1, "", "wasmpool: module \"main.go\": not a module: […]\n"})
}

// hostile is a terminal's order to forget what it shows, in the two notations
// that there are, and letters that turn round what follows.
const hostile = "\x1b[2J\u009b2J\u202e\x07"

// hostileModule is a module with a function of a hostile name, and an import of
// one if it is to be refused.
func hostileModule(t *testing.T, importing bool) string {
	t.Helper()
	section := func(id byte, items ...string) string {
		body := string([]byte{byte(len(items))}) + strings.Join(items, "")
		return string([]byte{id, byte(len(body))}) + body
	}
	word := func(s string) string { return string([]byte{byte(len(s))}) + s }
	b := "\x00asm\x01\x00\x00\x00" + section(1, "\x60\x00\x01\x7f") // () -> i32
	index := "\x00"
	if importing {
		b += section(2, word("env")+word(hostile)+"\x00\x00")
		index = "\x01"
	}
	b += section(3, "\x00") + section(5, "\x00\x01") +
		section(7, word("memory")+"\x02\x00", word(hostile)+"\x00"+index) +
		section(10, "\x04\x00\x41\x00\x0b") // 0
	path := filepath.Join(t.TempDir(), "hostile"+hostile+".wasm")
	if err := os.WriteFile(path, []byte(b), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestNothingThatAModuleSaysReachesTheTerminalUnescaped(t *testing.T) {
	t.Parallel()
	echo, named, importing := module(t, "echo"), hostileModule(t, false), hostileModule(t, true)
	for _, row := range []struct {
		name, stdin string
		args        []string
		code        int
		want        string // somewhere in the output
	}{
		{"names, for people", "", []string{"inspect", named}, 0, `functions  "\x1b[2J\u009b2J\u202e\a"`},
		{"names, in JSON", "", []string{"inspect", "--json", named}, 0, `"functions":["\u001b[2J\u009b2J\u202e\u0007"]`},
		{"imports", "", []string{"inspect", importing}, 0, `imports    env."\x1b[2J`},
		{"imports that nothing provides", "", []string{"call", importing, "f"}, 1, `\x1b[2J`},
		{"a function that is called", "", []string{"call", named, hostile}, 0, "null\n"},
		{"a function that is not there", "", []string{"call", named, "nothing"}, 1, `\x1b[2J`},
		{"a function that is no name", "", []string{"call", named, "_" + hostile}, 1, `_\x1b[2J`},
		{"a result", `["` + "\u009b2J\u202e\x7f\U000e0041\xff" + `"]`, []string{"call", echo, "echo", "-"}, 0, `[["\u009b2J\u202e\u007f\udb40\udc41\ufffd"]]`},
		{"what it prints", `[1,"` + hostile + `"]`, []string{"call", "--raw", echo, "print"}, 0, `[PID stdout] \x1b[2J\u009b2J\u202e\a`},
		{"what it logs", `[0,"` + hostile + `"]`, []string{"call", "--raw", echo, "log"}, 0, `[PID INFO] \x1b[2J\u009b2J\u202e\a`},
		{"its errors", `["","` + hostile + `\n"]`, []string{"call", "--raw", "--verbose", echo, "fail"}, 1, `wasmpool: call "fail": \x1b[2J\u009b2J\u202e\a`},
		{"its errors, in JSON", `["","` + hostile + `"]`, []string{"call", "--raw", "--json", echo, "fail"}, 1, `\u001b[2J\u009b2J\u202e\u0007`},
		{"an argument", "", []string{"call", echo, "echo", hostile}, 2, `\x1b[2J`},
		{"a flag", "", []string{"call", "--" + hostile}, 2, `\x1b[2J`},
		{"a command", "", []string{hostile}, 2, `\x1b[2J`},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got := wasmpool(t, row.stdin, row.args...)
			all := got.stdout + got.stderr
			if got.code != row.code || !strings.Contains(all, row.want) {
				t.Errorf("got %+v, want exit code %d and %s", got, row.code, row.want)
			}
			if i := strings.IndexFunc(all, func(r rune) bool { return r != '\n' && visible(string(r)) != string(r) }); i >= 0 || !utf8.ValidString(all) {
				t.Errorf("%q holds what a terminal may obey", all)
			}
		})
	}
}

func FuzzVisibleJSONIsTheSameValue(f *testing.F) {
	f.Add([]byte(`{"a":["` + hostile[4:] + `",1.5,null]}`))
	f.Add([]byte("[1,\r\n\t2, \"\U000e0041\ufffd\"]"))
	f.Add([]byte("\"\xff\""))
	f.Fuzz(func(t *testing.T, text []byte) {
		if !json.Valid(text) {
			return
		}
		shown := visibleJSON(text)
		if visible(shown) != shown {
			t.Errorf("%q holds what a terminal may obey", shown)
		}
		if want, got := canonical(t, text), canonical(t, []byte(shown)); !bytes.Equal(got, want) {
			t.Errorf("%q became %q", want, got)
		}
	})
}

// canonical is JSON with its strings and white space in one notation, and its
// numbers as they are.
func canonical(t *testing.T, text []byte) []byte {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%q is no JSON any more: %v", text, err)
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
