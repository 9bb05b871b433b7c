package subprocess

import (
	"fmt"
	"hash/fnv"
	"runtime/debug"
	"strconv"
	"sync"
)

// handshake is the environment variable that tells a program that it was
// started as a child. Its value is the protocol's version, and no secret.
const handshake = "WASMPOOL_CHILD"

// TakeOver makes this program a child, if it was started as one: then it serves
// a handler and never returns. Otherwise, when the handshake variable is not
// set or descriptor 3 is not a socket, it does nothing. It is called while
// packages are initialized, before the program does anything of its own.
//
// The handler is served on a fresh goroutine: the one that initializes packages
// is locked to the main thread, and every wake-up of it would cost a switch of
// threads.
func TakeOver(newHandler func() Handler) { takeOver(newHandler, hooks{}) }

func takeOver(newHandler func() Handler, hk hooks) {
	s, ok := inherit()
	if !ok {
		return
	}
	s.hooks = hk
	go serve(s, newHandler()) // ends with the process
	select {}
}

// Embeddable returns nil, or says why this program cannot be its own runner: in
// a C archive, a shared library or a plugin, executing the program again does
// not reach this code before somebody else's.
func Embeddable() error {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil // nothing says that it cannot
	}
	for _, s := range info.Settings {
		if s.Key != "-buildmode" {
			continue
		}
		switch s.Value {
		case "c-archive", "c-shared", "plugin":
			return fmt.Errorf("subprocess: program built with -buildmode=%s cannot be its own runner: set Runner", s.Value)
		}
	}
	return nil
}

// buildID names this program: two ends of one program have the same. It tells
// versions apart, it proves nothing.
var buildID = sync.OnceValue(func() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(info.String())) // cannot fail
	return strconv.FormatUint(h.Sum64(), 16)
})
