package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// clockFuncs are those functions of package time that read a clock or wait for
// one; the rest of time is arithmetic.
var clockFuncs = []string{"Now", "Since", "Until", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker", "Sleep"}

// parsed returns the production files of a directory by name; none if there is
// no such directory.
func parsed(t *testing.T, dir fs.FS) (*token.FileSet, map[string]*ast.File) {
	t.Helper()
	names, err := fs.Glob(dir, "*.go")
	if err != nil {
		t.Fatal(err)
	}
	fset, files := token.NewFileSet(), map[string]*ast.File{}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		source, err := fs.ReadFile(dir, name)
		if err != nil {
			t.Fatal(err)
		}
		if files[name], err = parser.ParseFile(fset, name, source, parser.SkipObjectResolution); err != nil {
			t.Fatal(err)
		}
	}
	return fset, files
}

// waits returns where a file reads the clock, waits for it, or starts a
// goroutine.
func waits(fset *token.FileSet, file *ast.File) []string {
	timeName := ""
	for _, spec := range file.Imports {
		if spec.Path.Value == `"time"` {
			timeName = "time"
			if spec.Name != nil {
				timeName = spec.Name.Name
			}
		}
	}
	var found []string
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			found = append(found, fset.Position(n.Pos()).String()+": go statement")
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && timeName != "" && x.Name == timeName && slices.Contains(clockFuncs, n.Sel.Name) {
				found = append(found, fset.Position(n.Pos()).String()+": time."+n.Sel.Name)
			}
		}
		return true
	})
	return found
}

// importers returns the files that import a package at or below path.
func importers(files map[string]*ast.File, path string) []string {
	var names []string
	for name, file := range files {
		for _, spec := range file.Imports {
			if p, err := strconv.Unquote(spec.Path.Value); err == nil && under(p, []string{path + "/..."}) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func TestSchedulerReadsNoClockAndStartsNoGoroutine(t *testing.T) {
	t.Parallel()
	fset, files := parsed(t, os.DirFS("../sched"))
	for _, file := range files {
		for _, where := range waits(fset, file) {
			t.Errorf("internal/sched/%s: the scheduler is told the time and never waits, so that a test can step it", where)
		}
	}
}

func TestOnlySpawnJoinsPoolToIsolate(t *testing.T) {
	t.Parallel()
	_, files := parsed(t, os.DirFS("../../pool"))
	for _, name := range importers(files, module+"/isolate") {
		if name != "spawn.go" {
			t.Errorf("pool/%s imports isolate: the parent must not depend on what runs inside the child, but in spawn.go", name)
		}
	}
}
