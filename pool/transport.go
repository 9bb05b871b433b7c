package pool

import (
	"strconv"

	"github.com/wasmpool/wasmpool/subprocess"
)

// Transport is what calls and replies go through between this process and its
// workers.
type Transport uint8

const (
	// SharedMemory is two rings in memory that a worker shares with this process,
	// with a socket beside them that wakes the one who sleeps. On other systems than
	// Linux it means Socket.
	SharedMemory = Transport(subprocess.SharedMemory)

	// Socket is a pair of sockets, for a call that may be ten times as slow: for
	// those who want the kernel between the two.
	Socket = Transport(subprocess.Socket)
)

func (t Transport) String() string {
	switch t {
	case SharedMemory:
		return "SharedMemory"
	case Socket:
		return "Socket"
	}
	return "transport " + strconv.Itoa(int(t))
}
