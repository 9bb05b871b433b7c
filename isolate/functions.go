package isolate

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/wasmpool/wasmpool/abi"
	"github.com/wasmpool/wasmpool/isolate/engine"
)

// functions are the names that can be called, and the export that runs each.
type functions struct {
	exports  map[string]string // name → export
	dispatch string            // the dispatcher, or empty
	closed   bool              // the names are all there are: nothing else is dispatched
}

// newFunctions guesses from the exports.
func newFunctions(d engine.Description) *functions {
	f := &functions{exports: make(map[string]string)}
	for _, export := range d.Exports {
		if isFunction(export) {
			f.exports[export.Name] = export.Name
		}
	}
	if _, ok := find(d.Exports, abi.ExportCall); ok {
		f.dispatch = abi.ExportCall
	}
	return f
}

// only leaves the names given, of those that can be called now: first those of
// the module's own list, then those of the settings. It returns the others.
func (f *functions) only(names []string) (unknown []string) {
	left := make(map[string]string, len(names))
	for _, name := range names {
		if export, ok := f.find(name); ok {
			left[name] = export
		} else {
			unknown = append(unknown, name)
		}
	}
	f.exports, f.closed = left, true
	return unknown
}

// find returns the export that runs a function, or nothing.
func (f *functions) find(name string) (export string, ok bool) {
	if export, ok = f.exports[name]; ok {
		return export, true
	}
	if f.closed || f.dispatch == "" || !abi.Callable(name) {
		return "", false
	}
	return f.dispatch, true
}

func (f *functions) names() []string { return slices.Sorted(maps.Keys(f.exports)) }

// missing says that there is no function of a name, and which there are.
func (f *functions) missing(module, name string) *abi.Error {
	names := f.names()
	message := fmt.Sprintf("module %q has no function %q", module, clip(name))
	if near := nearest(name, names); near != "" {
		message += fmt.Sprintf("; did you mean %q?", clip(near))
	}
	if len(names) > 0 {
		message += "; it has " + nameList(names)
	}
	return &abi.Error{Name: "FunctionNotFound", Message: message}
}

// Bounds of what messages show of a module's names. Guesses.
const (
	maxNames    = 20
	maxClip     = 100
	maxCompared = 1000
)

func nameList(names []string) string {
	var texts []string
	for _, name := range names[:min(len(names), maxNames+1)] {
		texts = append(texts, fmt.Sprintf("%q", clip(name)))
	}
	return enumerateOf(texts, len(names))
}

func enumerate(texts []string) string { return enumerateOf(texts, len(texts)) }

// enumerateOf shows the first texts of the number that there are.
func enumerateOf(texts []string, number int) string {
	if number == 0 {
		return "nothing"
	}
	if number > maxNames {
		return strings.Join(texts[:maxNames], ", ") + fmt.Sprintf(" and %d more", number-maxNames)
	}
	return strings.Join(texts, ", ")
}

func clip(s string) string {
	if len(s) <= maxClip {
		return s
	}
	return strings.ToValidUTF8(s[:maxClip], "") + "…"
}

// nearest is the name that takes the fewest changes of a letter, if those are
// at most a third of the letters.
func nearest(name string, names []string) string {
	name = clip(name)
	best, bestDistance := "", len(name)/3+1
	for _, candidate := range names[:min(len(names), maxCompared)] {
		if d := distance(name, clip(candidate)); d < bestDistance {
			best, bestDistance = candidate, d
		}
	}
	return best
}

// distance is the number of letters to insert, remove or replace.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := corner
			if a[i] != b[j] {
				change++
			}
			corner = row[j+1]
			row[j+1] = min(change, row[j]+1, corner+1)
		}
	}
	return row[len(b)]
}
