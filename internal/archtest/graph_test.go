package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// module is the path that the packages of this repository begin with.
const module = "github.com/wasmpool/wasmpool"

// graph says what each package imports. Packages of this module go by their
// path below it ("pool/pooltest"), all others by their import path.
type graph map[string]node

type node struct {
	imports []string
	ours    bool
	std     bool
}

// path returns the shortest way from one package to one that matches target,
// both included, or nil. It does not look into the standard library, where
// nearly everything reaches nearly everything.
func (g graph) path(from string, target func(string) bool) []string {
	before := map[string]string{from: ""}
	for queue := []string{from}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		if at != from && target(at) {
			return trail(before, at)
		}
		if g[at].std {
			continue
		}
		for _, next := range g[at].imports {
			if _, seen := before[next]; !seen {
				before[next] = at
				queue = append(queue, next)
			}
		}
	}
	return nil
}

func trail(before map[string]string, at string) []string {
	var way []string
	for ; at != ""; at = before[at] {
		way = append(way, at)
	}
	slices.Reverse(way)
	return way
}

// listed reads the import graph of every package of the module, without its
// tests, as it is for one operating system and architecture.
func listed(t *testing.T, goos, goarch string, patterns ...string) graph {
	t.Helper()
	args := append([]string{"list", "-e", "-deps", "-test=false", "-json=ImportPath,Imports,Standard"}, patterns...)
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0", "GOWORK=off")
	cmd.Dir = "../.."
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, &stderr)
	}
	g := graph{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			ImportPath string
			Imports    []string
			Standard   bool
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return g
		} else if err != nil {
			t.Fatal(err)
		}
		for i := range p.Imports {
			p.Imports[i], _ = short(p.Imports[i])
		}
		name, ours := short(p.ImportPath)
		g[name] = node{imports: p.Imports, ours: ours, std: p.Standard}
	}
}

// short cuts the module's path off, and says whether there was one.
func short(path string) (string, bool) {
	if path == module {
		return ".", true
	}
	return strings.CutPrefix(path, module+"/")
}

// under reports whether a package is one of those that patterns name: a path
// alone, or with "/..." everything at and below it.
func under(pkg string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		root, tree := strings.CutSuffix(p, "/...")
		return pkg == root || tree && strings.HasPrefix(pkg, root+"/")
	})
}
