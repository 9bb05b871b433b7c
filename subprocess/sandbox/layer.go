package sandbox

import (
	"encoding/json"
	"fmt"
	"math/bits"
	"slices"
	"strings"
)

// Layer is one part of the wall. It stops something by itself, whether the
// others are there or not.
type Layer uint8

// The layers, in the order in which they are built.
const (
	User         Layer = iota // another user than the program's, or a user namespace of its own
	PID                       // sees and signals no process but itself
	Net                       // no network, not even the machine's own
	IPC                       // no System V objects or message queues of others
	UTS                       // no say in the machine's name
	Root                      // a file system with nothing in it but what was granted
	Capabilities              // no privilege, whoever the user is
	NoNewPrivs                // none to be had by executing a program that has some
	Landlock                  // no file but what was granted, no TCP, no signals to others
	Limits                    // no files written, few descriptors, no core dumps
	Opaque                    // its memory and descriptors cannot be read by its like
	Expendable                // when memory runs out, the kernel ends workers first
	Memory                    // bounded addresses, whatever asks for them
	Syscalls                  // only the system calls that serving needs
	Code                      // once the module is compiled, no new machine code

	layers // how many there are
)

var layerNames = [layers]string{
	User: "user", PID: "pid", Net: "net", IPC: "ipc", UTS: "uts", Root: "root",
	Capabilities: "capabilities", NoNewPrivs: "no-new-privs", Landlock: "landlock", Limits: "limits",
	Opaque: "opaque", Expendable: "expendable", Memory: "memory", Syscalls: "syscalls", Code: "code",
}

func (l Layer) String() string {
	if l < layers {
		return layerNames[l]
	}
	return fmt.Sprintf("layer %d", uint8(l))
}

// MarshalText makes a layer its name in JSON.
func (l Layer) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads the name of a layer.
func (l *Layer) UnmarshalText(text []byte) error {
	i := slices.Index(layerNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("sandbox: layer %q: want one of %s", text, strings.Join(layerNames[:], ", "))
	}
	*l = Layer(i)
	return nil
}

// Set is some layers. The zero Set is none.
type Set uint32

// All is every layer there is.
const All Set = 1<<layers - 1

// SetOf returns the set of some layers.
func SetOf(ls ...Layer) Set {
	var s Set
	for _, l := range ls {
		s |= 1 << l
	}
	return s
}

// Has reports whether a layer is in the set.
func (s Set) Has(l Layer) bool { return s&(1<<l) != 0 }

// Without returns the set without some layers.
func (s Set) Without(others Set) Set { return s &^ others }

// Layers returns the members, in order.
func (s Set) Layers() []Layer {
	ls := make([]Layer, 0, bits.OnesCount32(uint32(s)))
	for l := range layers {
		if s.Has(l) {
			ls = append(ls, l)
		}
	}
	return ls
}

// Report says what has become of each layer that was asked for: the reason why
// it is off, and nothing when it is on.
type Report map[Layer]string

// NewReport reports that all layers of a set are on, as long as nothing is known
// against them.
func NewReport(s Set) Report {
	r := make(Report)
	for _, l := range s.Layers() {
		r[l] = ""
	}
	return r
}

// fail notes that a layer is off, if it was asked for and nothing is known
// against it yet.
func (r Report) fail(l Layer, format string, args ...any) {
	if why, asked := r[l]; asked && why == "" {
		r[l] = fmt.Sprintf(format, args...)
	}
}

// On returns the layers that are on.
func (r Report) On() Set {
	var s Set
	for l, why := range r {
		if why == "" && l < layers {
			s |= 1 << l
		}
	}
	return s
}

// Merge adds what another report has against layers.
func (r Report) Merge(other Report) {
	for l, why := range other {
		if why != "" {
			r.fail(l, "%s", why)
		}
	}
}

// State is what is known of a layer, for people.
type State struct {
	Layer Layer  `json:"layer"`
	On    bool   `json:"on"`
	Why   string `json:"why,omitempty"` // it is off
}

// States lists every layer there is, in order.
func (r Report) States() []State {
	states := make([]State, 0, layers)
	for l := range layers {
		why, asked := r[l]
		if !asked {
			why = "it was not asked for"
		}
		states = append(states, State{Layer: l, On: asked && why == "", Why: why})
	}
	return states
}

// Reasons says of layers that are off why: those with one reason together.
func Reasons(states []State) string {
	var b strings.Builder
	for i, s := range states {
		switch {
		case i == 0:
		case s.Why == states[i-1].Why:
			b.WriteString(", ")
		default:
			fmt.Fprintf(&b, " (%s); ", states[i-1].Why)
		}
		b.WriteString(s.Layer.String())
		if i == len(states)-1 {
			fmt.Fprintf(&b, " (%s)", s.Why)
		}
	}
	return b.String()
}

// Off are the states of the layers that are off.
func Off(states []State) []State {
	return slices.DeleteFunc(slices.Clone(states), func(s State) bool { return s.On })
}

// Encode is the report in JSON.
func (r Report) Encode() []byte {
	b, err := json.Marshal(r)
	if err != nil {
		panic("bug: sandbox: " + err.Error()) // layers and strings
	}
	return b
}

// ParseReport reads what Encode wrote; nothing is a report of nothing. A reason
// is cut where it is longer than a sentence.
func ParseReport(text []byte) (Report, error) {
	if len(text) == 0 {
		return Report{}, nil
	}
	var r Report
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("sandbox: report: %w", err)
	}
	for l, why := range r {
		r[l] = why[:min(len(why), maxReasonBytes)]
	}
	return r, nil
}

// maxReasonBytes bounds a reason that another process gives. A guess: a sentence.
const maxReasonBytes = 500
