package wire

import (
	"encoding/binary"
	"fmt"
)

// The fixed parts of bodies, in bytes.
const (
	helloHead    = 4 + 1 + 1
	replyHead    = 8 + 1
	hostCallHead = 8 + 8 + 1
	logHead      = 1 + 4
)

var le = binary.LittleEndian

// Hello is the first frame of a child: version u32 · joins u8 · build id, its length
// in a byte · sandbox.
type Hello struct {
	Version uint32
	Joins   bool   // what follows goes through memory, in both directions
	Build   string // names the program; the two ends of one program have the same. At most MaxNameBytes
	Sandbox []byte // what became of the layers around it, in JSON
}

// Append appends the frame.
func (m Hello) Append(dst []byte) []byte {
	dst = le.AppendUint32(begin(dst, KindHello, helloHead+len(m.Build)+len(m.Sandbox)), m.Version)
	dst = append(dst, boolean(m.Joins))
	return append(appendName(dst, []byte(m.Build)), m.Sandbox...)
}

// ParseHello reads the body of a [KindHello] frame.
func ParseHello(body []byte) (Hello, error) {
	if len(body) < helloHead {
		return Hello{}, errShort(KindHello, body, helloHead)
	}
	if body[4] > 1 {
		return Hello{}, fmt.Errorf("wire: hello that joins with %d, want 0 or 1", body[4])
	}
	end := helloHead + int(body[5])
	if len(body) < end {
		return Hello{}, errShort(KindHello, body, end)
	}
	return Hello{Version: le.Uint32(body), Joins: body[4] == 1, Build: string(body[helloHead:end]), Sandbox: body[end:]}, nil
}

// Loaded says that the module is ready; the body is a JSON value for the one
// who asked.
type Loaded []byte

// Append appends the frame.
func (m Loaded) Append(dst []byte) []byte {
	return append(begin(dst, KindLoaded, len(m)), m...)
}

// Refused says why the module was not loaded, in JSON.
type Refused []byte

// Append appends the frame.
func (m Refused) Append(dst []byte) []byte {
	return append(begin(dst, KindRefused, len(m)), m...)
}

// Reply ends a call: seq u64 · code u8 · payload.
type Reply struct {
	Seq     uint64
	Code    uint8
	Payload []byte
}

// Append appends the frame.
func (m Reply) Append(dst []byte) []byte {
	return append(m.AppendHead(dst, len(m.Payload)), m.Payload...)
}

// AppendHead appends the frame up to its payload, of which n bytes follow.
func (m Reply) AppendHead(dst []byte, n int) []byte {
	dst = le.AppendUint64(begin(dst, KindReply, replyHead+n), m.Seq)
	return append(dst, m.Code)
}

// ParseReply reads the body of a [KindReply] frame.
func ParseReply(body []byte) (Reply, error) {
	if len(body) < replyHead {
		return Reply{}, errShort(KindReply, body, replyHead)
	}
	return Reply{Seq: le.Uint64(body), Code: body[8], Payload: body[replyHead:]}, nil
}

// HostCall asks for a host function: id u64 · seq u64 · name, its length in a
// byte · payload.
type HostCall struct {
	ID      uint64 // the child's number for it
	Seq     uint64 // of the call that asks
	Name    []byte // at most MaxNameBytes
	Payload []byte
}

// Append appends the frame.
func (m HostCall) Append(dst []byte) []byte {
	dst = begin(dst, KindHostCall, hostCallHead+len(m.Name)+len(m.Payload))
	dst = le.AppendUint64(le.AppendUint64(dst, m.ID), m.Seq)
	return append(appendName(dst, m.Name), m.Payload...)
}

// ParseHostCall reads the body of a [KindHostCall] frame.
func ParseHostCall(body []byte) (HostCall, error) {
	if len(body) < hostCallHead {
		return HostCall{}, errShort(KindHostCall, body, hostCallHead)
	}
	m := HostCall{ID: le.Uint64(body), Seq: le.Uint64(body[8:])}
	end := hostCallHead + int(body[16])
	if len(body) < end {
		return HostCall{}, errShort(KindHostCall, body, end)
	}
	m.Name, m.Payload = body[hostCallHead:end], body[end:]
	return m, nil
}

// Log is one log record: source u8 · level i32 · text.
type Log struct {
	Source uint8
	Level  int32
	Text   []byte // at most MaxLogBytes
}

// Append appends the frame.
func (m Log) Append(dst []byte) []byte {
	dst = append(begin(dst, KindLog, logHead+len(m.Text)), m.Source)
	return append(le.AppendUint32(dst, uint32(m.Level)), m.Text...)
}

// ParseLog reads the body of a [KindLog] frame.
func ParseLog(body []byte) (Log, error) {
	if len(body) < logHead {
		return Log{}, errShort(KindLog, body, logHead)
	}
	return Log{Source: body[0], Level: int32(le.Uint32(body[1:])), Text: body[logHead:]}, nil
}

// LogsDropped says how many log records were not sent: count u64.
type LogsDropped uint64

// Append appends the frame.
func (m LogsDropped) Append(dst []byte) []byte { return appendNumber(dst, KindLogsDropped, uint64(m)) }

// ParseLogsDropped reads the body of a [KindLogsDropped] frame.
func ParseLogsDropped(body []byte) (LogsDropped, error) {
	return parseNumber[LogsDropped](KindLogsDropped, body)
}

// appendName appends a name after its length in a byte.
func appendName(dst, name []byte) []byte {
	if len(name) > MaxNameBytes {
		panic("bug: wire: name of more than 255 bytes")
	}
	return append(append(dst, byte(len(name))), name...)
}
