package takenover

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/wasmpool/wasmpool/internal/wire"
	"github.com/wasmpool/wasmpool/subprocess/sandbox"
)

// parent is the descriptor of the socket to it.
const parent = 3

// raw is a try to have the parent read some bytes, at once.
func raw(b []byte) func([]string) (string, error) {
	return func([]string) (string, error) { return "", tell(b) }
}

// tell has the parent read some bytes, where it reads.
func tell(b []byte) error {
	if memory != nil {
		return scribble(b)
	}
	_, err := unix.Write(parent, b)
	return err
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
		_ = tell(wire.Log{Text: make([]byte, 1000)}.Append(nil)[:500])
		return "", unix.Shutdown(parent, unix.SHUT_WR)
	},
	"a byte at a time": func([]string) (string, error) {
		drip(wire.Log{Text: make([]byte, wire.MaxLogBytes)}.Append(nil))
		return "", nil
	},
	"send descriptors": func([]string) (string, error) {
		frame := wire.Log{Text: []byte("with descriptors")}.Append(nil)
		if memory != nil {
			frame = []byte{0} // a wake-up
		}
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
		if tell(b[i:i+1]) != nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// dripHello is a part.
func dripHello() { drip(make([]byte, 1<<20)) }

// sayTheWallIsWhole is a part.
func sayTheWallIsWhole() {
	hello := wire.Hello{Version: wire.Version, Sandbox: sandbox.NewReport(sandbox.All).Encode()}
	_ = tell(hello.Append(nil))
	select {}
}
