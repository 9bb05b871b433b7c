// Package docs_test holds the documents to the code, where that can be done by
// comparing words.
package docs_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/wasmpool/wasmpool/internal/wire"
	"github.com/wasmpool/wasmpool/isolate"
	"github.com/wasmpool/wasmpool/pool"
)

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// all returns the documents of this directory, joined.
func all(t *testing.T) string {
	t.Helper()
	names, err := filepath.Glob("*.md")
	if err != nil || len(names) == 0 {
		t.Fatalf("no documents: %v", err)
	}
	var b strings.Builder
	for _, name := range names {
		b.WriteString(read(t, name))
	}
	return b.String()
}

// word reports whether a document has a word in a pair of backquotes, alone or
// behind the name of what it belongs to.
func word(document, w string) bool {
	return regexp.MustCompile("`([A-Za-z]+\\.)?" + regexp.QuoteMeta(w) + "`").MatchString(document)
}

// declared returns the names of a kind that a file of another package declares.
func declared(t *testing.T, file string, tok token.Token, match func(name string) bool) map[string]string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]string)
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != tok {
			continue
		}
		for _, spec := range g.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				if match(s.Name.Name) {
					found[s.Name.Name] = ""
				}
			case *ast.ValueSpec:
				for i, name := range s.Names {
					if !match(name.Name) {
						continue
					}
					found[name.Name] = ""
					if i < len(s.Values) {
						if lit, ok := s.Values[i].(*ast.BasicLit); ok {
							found[name.Name] = strings.Trim(lit.Value, `"`)
						}
					}
				}
			}
		}
	}
	if len(found) == 0 {
		t.Fatalf("%s declares nothing of that kind", file)
	}
	return found
}

func TestProtocolNamesEveryKindOfFrameWithItsNumberAndDirection(t *testing.T) {
	t.Parallel()
	document := read(t, "PROTOCOL.md")
	fromChild, fromParent := wire.FromChild(1<<20), wire.FromParent()
	kinds := 0
	for k := range fromChild {
		name := wire.Kind(k).String()
		from := "child"
		if fromParent[k] != 0 {
			from = "parent"
		}
		if fromChild[k] == 0 && fromParent[k] == 0 {
			if !strings.HasPrefix(name, "kind ") {
				t.Errorf("kind %d, %s, is accepted in no direction", k, name)
			}
			continue
		}
		kinds++
		row := fmt.Sprintf("\n| %d | %s | %s | ", k, name, from)
		if strings.Count(document, row) != 1 {
			t.Errorf("PROTOCOL.md has no row that begins with %q", row[1:])
		}
	}
	if rows := regexp.MustCompile(`(?m)^\| \d+ \| [a-z ]+ \| (child|parent) \|`).FindAllString(document, -1); len(rows) != kinds {
		t.Errorf("PROTOCOL.md has %d rows of frames, the code %d kinds", len(rows), kinds)
	}
	if !strings.Contains(document, fmt.Sprintf("version %d\n", wire.Version)) {
		t.Errorf("PROTOCOL.md does not say that it is about version %d", wire.Version)
	}
}

func TestProtocolSaysTheLargestBodies(t *testing.T) {
	t.Parallel()
	const payload = 1 << 20
	document := read(t, "PROTOCOL.md")
	fromChild, fromParent := wire.FromChild(payload), wire.FromParent()
	number := regexp.MustCompile(`[\d,]+`)
	for k := range fromChild {
		limit := max(fromChild[k], fromParent[k])
		if limit == 0 {
			continue
		}
		row := regexp.MustCompile(fmt.Sprintf(`(?m)^\| %d \| .* \| ([^|]+) \|$`, k)).FindStringSubmatch(document)
		if row == nil {
			t.Errorf("no row for %v", wire.Kind(k))
			continue
		}
		terms := strings.NewReplacer("payload limit", fmt.Sprint(payload), "2³¹−1", fmt.Sprint(1<<31-1), ",", "").Replace(row[1])
		var sum int64
		for _, term := range number.FindAllString(terms, -1) {
			var n int64
			if _, err := fmt.Sscan(term, &n); err != nil {
				t.Fatal(err)
			}
			sum += n
		}
		if sum != limit {
			t.Errorf("the largest body of %v is %d bytes, PROTOCOL.md says %s", wire.Kind(k), limit, row[1])
		}
	}
}

func TestProtocolShowsFramesAsTheyAre(t *testing.T) {
	t.Parallel()
	frames := []wire.Message{
		wire.Call{Seq: 1, ID: 7, DeadlineMS: -1, Attempt: 1, Name: []byte("greet"), Arguments: []byte(`["world"]`)},
		wire.Reply{Seq: 1, Payload: []byte(`"Hello, world"`)},
	}
	shown := regexp.MustCompile(`(?m)^[0-9a-f]{8}( [0-9a-f]+)+$`).FindAllString(read(t, "PROTOCOL.md"), -1)
	if len(shown) != len(frames) {
		t.Fatalf("PROTOCOL.md shows %d frames, want %d", len(shown), len(frames))
	}
	for i, m := range frames {
		want := hex.EncodeToString(m.Append(nil))
		if got := strings.ReplaceAll(shown[i], " ", ""); got != want {
			t.Errorf("frame %d is shown as %s, is %s", i, got, want)
		}
	}
}

func TestProtocolNamesEveryMemberOfSettingsAndAnswers(t *testing.T) {
	t.Parallel()
	document := read(t, "PROTOCOL.md")
	for _, of := range []any{isolate.Settings{}, isolate.Limits{}, isolate.Info{}} {
		for _, f := range reflect.VisibleFields(reflect.TypeOf(of)) {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name == "-" {
				continue // it does not travel
			}
			if !word(document, name) {
				t.Errorf("PROTOCOL.md does not name member %q of %T", name, of)
			}
		}
	}
}

func TestProtocolNamesTheHandshakeVariable(t *testing.T) {
	t.Parallel()
	for _, name := range declared(t, "../subprocess/takeover.go", token.CONST, func(name string) bool { return name == "handshake" }) {
		if want := fmt.Sprintf("`%s=%d`", name, wire.Version); !strings.Contains(read(t, "PROTOCOL.md"), want) {
			t.Errorf("PROTOCOL.md does not say %s", want)
		}
	}
}

func TestABINamesEveryImportAndExport(t *testing.T) {
	t.Parallel()
	document := read(t, "ABI.md")
	names := declared(t, "../abi/abi.go", token.CONST, func(name string) bool {
		return strings.HasPrefix(name, "Import") || strings.HasPrefix(name, "Export")
	})
	for constant, name := range names {
		if !strings.Contains(document, "\n| `"+name+"` | ") {
			t.Errorf("ABI.md has no row for %q (abi.%s)", name, constant)
		}
	}
}

func TestDocumentsNameEveryOption(t *testing.T) {
	t.Parallel()
	documents := all(t)
	for _, of := range []any{pool.Options{}, pool.Module{}, pool.Limits{}} {
		for _, f := range reflect.VisibleFields(reflect.TypeOf(of)) {
			if !word(documents, f.Name) {
				t.Errorf("no document names field %s of %T", f.Name, of)
			}
		}
	}
}

func TestDocumentsNameEveryErrorOfPool(t *testing.T) {
	t.Parallel()
	documents := all(t)
	for tok, match := range map[token.Token]func(string) bool{
		token.VAR:  func(name string) bool { return strings.HasPrefix(name, "Err") },
		token.TYPE: func(name string) bool { return ast.IsExported(name) && strings.HasSuffix(name, "Error") },
	} {
		for name := range declared(t, "../pool/errors.go", tok, match) {
			if !word(documents, name) {
				t.Errorf("no document names pool.%s", name)
			}
		}
	}
}

// TestDesignMapsEveryRoom looks at packages and at the files that are named.
func TestDesignMapsEveryRoom(t *testing.T) {
	t.Parallel()
	document := read(t, "DESIGN.md")
	rooms := make(map[string]bool)
	files := make(map[string]bool)
	err := filepath.WalkDir("..", func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel := filepath.ToSlash(strings.TrimPrefix(path, "../"))
		switch {
		case d.IsDir() && (strings.HasPrefix(d.Name(), ".") && path != ".." || rel == "docs" || rel == "examples" || rel == "tools" || d.Name() == "testdata" && rel != "testdata" || d.Name() == "node_modules"):
			return filepath.SkipDir
		case strings.HasSuffix(rel, ".go"):
			rooms[filepath.ToSlash(filepath.Dir(rel))] = true
			files[rel], files[filepath.Base(rel)] = true, true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for room := range rooms {
		if !strings.Contains(document, room+"/") && !strings.Contains(document, "`"+room+"`") {
			t.Errorf("DESIGN.md does not mention %s/", room)
		}
	}
	for _, name := range regexp.MustCompile(`[a-z_/0-9]+\.go\b`).FindAllString(all(t), -1) {
		if name = strings.TrimLeft(name, "./"); !files[name] {
			t.Errorf("a document names %s, which is not there", name)
		}
	}
}

func TestLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	documents, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"../README.md", "../CONTRIBUTING.md", "../CHANGELOG.md"} {
		if _, err := os.Stat(name); err == nil {
			documents = append(documents, name)
		}
	}
	links := 0
	for _, name := range documents {
		for _, link := range regexp.MustCompile(`\]\(([^)\s]+)\)`).FindAllStringSubmatch(read(t, name), -1) {
			if strings.Contains(link[1], "://") {
				continue
			}
			links++
			path, anchor, _ := strings.Cut(link[1], "#")
			target := name
			if path != "" {
				target = filepath.Join(filepath.Dir(name), path)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s: %v", name, link[1], err)
				continue
			}
			if anchor != "" && !anchors(read(t, target))[anchor] {
				t.Errorf("%s links to %s: there is no such heading", name, link[1])
			}
		}
	}
	if links == 0 {
		t.Error("no link was found")
	}
}

// anchors returns the headings of a document in the form that links use.
func anchors(document string) map[string]bool {
	found := make(map[string]bool)
	drop := regexp.MustCompile(`[^a-z0-9 _-]`)
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(document, -1) {
		found[strings.ReplaceAll(drop.ReplaceAllString(strings.ToLower(heading[1]), ""), " ", "-")] = true
	}
	return found
}

func TestTheWorkerByHandIsTheOneThatIsShown(t *testing.T) {
	t.Parallel()
	source := read(t, "testdata/greet.wat")
	if !strings.Contains(read(t, "ABI.md"), "```wat\n"+source+"```\n") {
		t.Error("ABI.md does not show testdata/greet.wat as it is")
	}
	assembler, err := exec.LookPath("wat2wasm")
	if err != nil {
		t.Skip("wat2wasm is not here: that testdata/greet.wasm is made of greet.wat is not checked")
	}
	fresh := filepath.Join(t.TempDir(), "greet.wasm")
	if out, err := exec.Command(assembler, "testdata/greet.wat", "-o", fresh).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got := read(t, fresh); !bytes.Equal([]byte(got), []byte(read(t, "testdata/greet.wasm"))) {
		t.Error("testdata/greet.wasm is not made of testdata/greet.wat")
	}
}
