package takenover

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wasmpool/wasmpool/internal/wire"
	"github.com/wasmpool/wasmpool/subprocess/sandbox"
)

// parent is the descriptor of the socket to it.
const parent = 3

// raw is a try to have the parent read some bytes, at once.
func raw(b []byte) func([]string) (string, error) {
	return func([]string) (string, error) {
		_, err := unix.Write(parent, b)
		return "", err
	}
}

// These speak past the library, and so in between its frames.
var _ = add(map[string]func([]string) (string, error){
	"garbage":        raw([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")),
	"4 GiB":          raw([]byte{255, 255, 255, 255, byte(wire.KindReply)}),
	"unknown reply":  raw(wire.Reply{Seq: 1 << 40}.Append(nil)),
	"second hello":   raw(wire.Hello{Version: wire.Version}.Append(nil)),
	"loaded again":   raw(wire.Loaded("null").Append(nil)),
	"parent's frame": raw(wire.Stop(9).Append(nil)),
	"half a frame": func([]string) (string, error) {
		_, _ = raw(wire.Log{Text: make([]byte, 1000)}.Append(nil)[:500])(nil)
		return "", unix.Shutdown(parent, unix.SHUT_WR)
	},
	"a byte at a time": func([]string) (string, error) {
		drip(wire.Log{Text: make([]byte, wire.MaxLogBytes)}.Append(nil))
		return "", nil
	},
	"send descriptors": func([]string) (string, error) {
		frame := wire.Log{Text: []byte("with descriptors")}.Append(nil)
		var fds [200]int // of the most that one message takes, 253
		for range 500 {
			if err := unix.Sendmsg(parent, frame, unix.UnixRights(fds[:]...), nil, 0); err != nil && err != unix.EAGAIN {
				return "", err
			}
		}
		return "", nil
	},
})

// drip writes a byte ten times a second, whatever that means to whoever reads.
func drip(b []byte) {
	for i := range b {
		if _, err := unix.Write(parent, b[i:i+1]); err != nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// dripHello is a part that takes for ever to say hello.
func dripHello() {
	if os.Getenv("WASMPOOL_STAGE") == "" {
		drip(make([]byte, 1<<20))
	}
}

// sayTheWallIsWhole is a part that builds nothing of the wall, and says that all
// of it is there.
func sayTheWallIsWhole() {
	whole := sandbox.NewReport(sandbox.All)
	if os.Getenv("WASMPOOL_STAGE") == "" {
		hello := wire.Hello{Version: wire.Version, Sandbox: whole.Encode()}
		_, _ = raw(hello.Append(nil))(nil)
		select {}
	}
	_ = os.Unsetenv("WASMPOOL_STAGE")
	pid, _, err := sandbox.Enter(sandbox.Entry{Program: program, Open: program, Args: os.Args, Env: os.Environ()})
	say(fmt.Sprintf(`{"pid":%d,"report":%s}`, pid, whole.Encode()), err)
	os.Exit(0)
}

// stayAStage is a part that says it has started a worker, and is it itself.
func stayAStage() {
	if os.Getenv("WASMPOOL_STAGE") != "" {
		say(fmt.Sprintf(`{"pid":%d}`, os.Getpid()), nil)
		_ = unix.Close(birth)
		time.Sleep(time.Hour)
	}
}

// sayItIsSomebodyElse is a part that gives the number of its own parent for the
// worker's.
func sayItIsSomebodyElse() {
	if os.Getenv("WASMPOOL_STAGE") != "" {
		say(fmt.Sprintf(`{"pid":%d}`, os.Getppid()), nil)
		os.Exit(0)
	}
}

// The descriptors of a first stage, beside those of a child.
const (
	program = 6
	birth   = 7
)

func say(text string, err error) {
	if err == nil {
		_, err = unix.Write(birth, []byte(text))
	}
	if err != nil {
		panic(err)
	}
}
