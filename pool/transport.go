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
	SharedMemory Transport = iota

	// Socket is a pair of sockets, for a call that may be ten times as slow: for
	// those who want the kernel between the two.
	Socket
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

// subprocess is the same, as the processes know it.
func (t Transport) subprocess() subprocess.Transport {
	if t == Socket {
		return subprocess.Socket
	}
	return subprocess.SharedMemory
}
