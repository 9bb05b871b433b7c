package takenover

import (
	"bytes"
	"fmt"
	"os"
	"strings"

	"github.com/wasmpool/wasmpool/subprocess"
)

// The parts that a worker can play.
const (
	Plain = "plain" // comes into the world like a worker
	Liar  = "liar"  // builds nothing of its own part of the wall, and says that all of it is there
	Drip  = "drip"  // takes for ever to say hello
)

// parts are what is done in place of coming into the world like a worker.
var parts = map[string]func(){
	Plain: nil,
	Liar:  sayTheWallIsWhole,
	Drip:  dripHello,
}

// role is where an executable says which part it plays: a worker sees neither
// what it is called nor where it is, and is given no environment. [WithPart]
// changes it in a copy of the executable.
var role = roleHead + "none    "

const roleHead = "the part of this worker is: "

// WithPart returns a program like the given one, which has this package, that
// plays a part whenever it is a child.
func WithPart(program []byte, part string) ([]byte, error) {
	if n := bytes.Count(program, []byte(role)); n != 1 {
		return nil, fmt.Errorf("takenover: the program has %d places for its part, want 1", n)
	}
	changed := fmt.Sprintf("%s%-*s", roleHead, len(role)-len(roleHead), part)
	if len(changed) != len(role) {
		return nil, fmt.Errorf("takenover: part %q is longer than its place", part)
	}
	return bytes.Replace(program, []byte(role), []byte(changed), 1), nil
}

// Play makes this program a worker that was taken over, if it has a part and was
// started as a child, and never returns then. It is called before the program
// becomes an honest one.
func Play() struct{} {
	begin, known := parts[strings.TrimSpace(strings.TrimPrefix(role, roleHead))]
	if !known || os.Getenv("WASMPOOL_CHILD") == "" {
		return struct{}{}
	}
	if begin != nil {
		begin()
	}
	takeMemory()
	subprocess.TakeOver(func() subprocess.Handler { return new(handler) })
	return struct{}{}
}
