package takenover

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/wasmpool/wasmpool/abi"
	"github.com/wasmpool/wasmpool/internal/child"
	"github.com/wasmpool/wasmpool/subprocess"
)

// Hostile is the name of the module that the process is hostile in.
const Hostile = "hostile"

// handler is an honest worker's, until it meets the hostile module.
type handler struct {
	subprocess.Handler // nil before it meets another module

	hostile bool
	early   []byte // what came of the try before the seal
	stays   bool   // when asked to stop
}

// settings are what matters here of a module's.
type settings struct {
	Name string   `json:"name"`
	Role string   `json:"role"`
	Args []string `json:"args"` // a try for the time before the seal, and what it is given
}

func (h *handler) Load(ctx context.Context, m *subprocess.Module, out subprocess.Outlet) (json.RawMessage, error) {
	var s settings
	if err := json.Unmarshal(m.Settings, &s); err != nil || s.Name != Hostile {
		// Not before: it makes machine code ahead, which it may be too late for here.
		h.Handler = child.NewHandler()
		return h.Handler.Load(ctx, m, out)
	}
	h.hostile = true
	if s.Role == "compile" {
		return json.RawMessage(`{}`), compile(m.File, s.Args)
	}
	handed = m.File
	if len(s.Args) > 0 {
		h.early = attempt(s.Args[0], s.Args[1:])
	}
	handed = nil
	if err := out.Seal(); err != nil {
		return nil, err
	}
	return json.RawMessage(`{"shape":"reactor"}`), nil
}

func (h *handler) Call(slot int, call *subprocess.Invocation, result *subprocess.Result) {
	if !h.hostile {
		h.Handler.Call(slot, call, result)
		return
	}
	var args []string
	if err := json.Unmarshal(call.Arguments, &args); err != nil {
		panic(err)
	}
	switch call.Function {
	case "early": // what came of the try before the seal
		result.Payload = h.early
	case "stay":
		h.stays = true
		result.Payload = answer("done")
	case "throw":
		result.Code = abi.Failed
		result.Payload, _ = json.Marshal(&abi.Error{Name: args[0], Message: args[0], Stack: args[0]}) // strings
	default:
		result.Payload = attempt(call.Function, args)
	}
}

func (h *handler) Signal(number int) {
	if h.stays {
		select {} // others still run: it is no deadlock
	}
	if !h.hostile {
		h.Handler.Signal(number)
	}
}

func (h *handler) Rest() {
	if !h.hostile {
		h.Handler.Rest()
	}
}

// attempt tries something and says what came of it: "done", what was found, or
// "refused: " and the error.
func attempt(name string, args []string) []byte {
	try := tries[name]
	if try == nil {
		panic(fmt.Sprintf("takenover: there is no try %q", name))
	}
	found, err := try(args)
	switch {
	case err != nil:
		found = "refused: " + err.Error()
	case found == "":
		found = "done"
	}
	return answer(found)
}

func answer(text string) []byte {
	b, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return b
}
