// Package border is the line between a guest and its host, as Go interfaces, so
// that the same guest code runs behind real imports and in a native test.
package border

// Host is what a guest imports, with slices in place of pointers. The ABI says
// what each does.
//
// Those that fill a buffer return the full length of what there is, which may
// be more than fitted, and may be repeated.
type Host interface {
	Input(buffer []byte) int
	Output(payload []byte)
	Fail(payload []byte)
	Function(buffer []byte) int
	Context(buffer []byte) int
	Cancelled() bool
	Log(level int32, record []byte)
	Host(name string, payload []byte) int32
	Reply(buffer []byte) int
}

// Exports is what a host calls of a guest, one at a time.
type Exports interface {
	Call() int32
	Functions() int32
	Init() int32
	Signal(number int32)
}

// firstBytes is the size of the first buffer of a guest. A guess: most
// arguments are smaller.
const firstBytes = 4096

// ReadAll reads all of what fill has, into buffer if it is large enough.
func ReadAll(fill func([]byte) int, buffer []byte) []byte {
	buffer = buffer[:cap(buffer)]
	if len(buffer) == 0 {
		buffer = make([]byte, firstBytes)
	}
	n := fill(buffer)
	if n > len(buffer) {
		buffer = make([]byte, n)
		n = min(fill(buffer), n)
	}
	return buffer[:n]
}
