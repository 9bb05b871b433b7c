package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
)

// Plan is what the wall around one worker is to be. It travels to the
// worker in an environment variable.
type Plan struct {
	// Layers are those to build; the others are left out on purpose.
	Layers Set `json:"layers"`

	// Dirs are the directories that the worker may open, by the path that they
	// have outside. Everything below them is included.
	Dirs []Dir `json:"dirs,omitempty"`

	// FileBytes bounds the size of each file that the worker writes: in writable
	// directories, or one that it is handed. Zero means that it writes none.
	FileBytes int64 `json:"file_bytes,omitempty"`

	// Deadly makes every system call that is not foreseen end the worker. Without
	// it, those that only ask for files or sockets are refused with an error: a
	// program that is its own runner may have goroutines that try.
	Deadly bool `json:"deadly,omitempty"`
}

// Dir is a granted directory.
type Dir struct {
	Path     string `json:"path"` // absolute
	Writable bool   `json:"writable,omitempty"`
}

// Encode is the plan as text.
func (p Plan) Encode() string {
	b, err := json.Marshal(p)
	if err != nil {
		panic("bug: sandbox: " + err.Error()) // strings, numbers and booleans
	}
	return string(b)
}

// ParsePlan reads what Encode wrote.
func ParsePlan(text string) (Plan, error) {
	var p Plan
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return Plan{}, fmt.Errorf("sandbox: plan: %w", err)
	}
	return p, p.Check()
}

// Check says what is wrong with a plan.
func (p Plan) Check() error {
	var errs []error
	for _, d := range p.Dirs {
		if !filepath.IsAbs(d.Path) || filepath.Clean(d.Path) != d.Path || d.Path == "/" {
			errs = append(errs, fmt.Errorf("sandbox: granted directory %q: want a clean absolute path below /", d.Path))
		}
	}
	return errors.Join(errs...)
}

// Early reports whether the plan has layers that are built before the program
// starts.
func (p Plan) Early() bool { return p.Layers&built != 0 }

// built are the layers that Enter builds.
const built Set = 1<<User | 1<<PID | 1<<Net | 1<<IPC | 1<<UTS | 1<<Root | 1<<Capabilities | 1<<NoNewPrivs |
	1<<Landlock | 1<<Limits | 1<<Expendable

// files reports whether any file may be opened, and whether any may be changed.
func (p Plan) files() (opened, changed bool) {
	for _, d := range p.Dirs {
		opened, changed = true, changed || d.Writable
	}
	return opened, changed
}
