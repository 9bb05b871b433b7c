package wire

// The fixed parts of bodies, in bytes.
const (
	loadHead      = 4 + 8 + 1 + 4 + 8
	callHead      = 8 + 8 + 8 + 2 + 1 + 4
	hostReplyHead = 8 + 1
)

// Load tells the child to load a module: slots u32 · addresses u64 · files u8
// · settings, their length in a u32 · source length u64. The source follows in [Chunk] frames.
type Load struct {
	Slots       uint32
	Addresses   uint64 // the most that the process may use, in bytes; 0: no bound
	Files       uint8  // how many descriptors come along, by a way of their own
	Settings    []byte
	SourceBytes uint64
}

// Append appends the frame.
func (m Load) Append(dst []byte) []byte {
	dst = le.AppendUint32(begin(dst, KindLoad, loadHead+len(m.Settings)), m.Slots)
	dst = append(le.AppendUint64(dst, m.Addresses), m.Files)
	dst = append(le.AppendUint32(dst, uint32(len(m.Settings))), m.Settings...)
	return le.AppendUint64(dst, m.SourceBytes)
}

// ParseLoad reads the body of a [KindLoad] frame.
func ParseLoad(body []byte) (Load, error) {
	if len(body) < loadHead {
		return Load{}, errShort(KindLoad, body, loadHead)
	}
	settings := int64(le.Uint32(body[13:]))
	if int64(len(body)) != loadHead+settings {
		return Load{}, errLength(KindLoad, body, int(loadHead+settings))
	}
	rest := body[17:]
	return Load{
		Slots: le.Uint32(body), Addresses: le.Uint64(body[4:]), Files: body[12],
		Settings: rest[:settings], SourceBytes: le.Uint64(rest[settings:]),
	}, nil
}

// Chunk is the next part of the module's source.
type Chunk []byte

// Append appends the frame.
func (m Chunk) Append(dst []byte) []byte {
	return append(m.AppendHead(dst), m...)
}

// AppendHead appends the frame up to the bytes themselves.
func (m Chunk) AppendHead(dst []byte) []byte { return begin(dst, KindChunk, len(m)) }

// Call is a call: seq u64 · id u64 · deadline i64 · attempt u16 · name, its
// length in a byte · meta, its length in a u32 · arguments.
type Call struct {
	Seq        uint64
	ID         uint64
	DeadlineMS int64  // time left in milliseconds; negative: none
	Attempt    uint16 // 1 for the first
	Name       []byte // at most MaxNameBytes
	Meta       []byte
	Arguments  []byte
}

// Append appends the frame.
func (m Call) Append(dst []byte) []byte {
	return append(m.AppendHead(dst, len(m.Arguments)), m.Arguments...)
}

// AppendHead appends the frame up to its arguments, of which n bytes follow.
func (m Call) AppendHead(dst []byte, n int) []byte {
	dst = begin(dst, KindCall, callHead+len(m.Name)+len(m.Meta)+n)
	dst = le.AppendUint64(le.AppendUint64(dst, m.Seq), m.ID)
	dst = le.AppendUint16(le.AppendUint64(dst, uint64(m.DeadlineMS)), m.Attempt)
	dst = appendName(dst, m.Name)
	return append(le.AppendUint32(dst, uint32(len(m.Meta))), m.Meta...)
}

// ParseCall reads the body of a [KindCall] frame.
func ParseCall(body []byte) (Call, error) {
	if len(body) < callHead {
		return Call{}, errShort(KindCall, body, callHead)
	}
	m := Call{
		Seq:        le.Uint64(body),
		ID:         le.Uint64(body[8:]),
		DeadlineMS: int64(le.Uint64(body[16:])),
		Attempt:    le.Uint16(body[24:]),
	}
	name := 27 + int(body[26])
	if len(body) < name+4 {
		return Call{}, errShort(KindCall, body, name+4)
	}
	meta := int64(name) + 4 + int64(le.Uint32(body[name:]))
	if int64(len(body)) < meta {
		return Call{}, errShort(KindCall, body, int(meta))
	}
	m.Name, m.Meta, m.Arguments = body[27:name], body[name+4:meta], body[meta:]
	return m, nil
}

// Recall takes a call back that has not started, and leaves one that has as it
// is: seq u64.
type Recall uint64

// Append appends the frame.
func (m Recall) Append(dst []byte) []byte { return appendNumber(dst, KindRecall, uint64(m)) }

// ParseRecall reads the body of a [KindRecall] frame.
func ParseRecall(body []byte) (Recall, error) { return parseNumber[Recall](KindRecall, body) }

// Cancel takes a call back, or tells it that nobody waits any more: seq u64.
type Cancel uint64

// Append appends the frame.
func (m Cancel) Append(dst []byte) []byte { return appendNumber(dst, KindCancel, uint64(m)) }

// ParseCancel reads the body of a [KindCancel] frame.
func ParseCancel(body []byte) (Cancel, error) { return parseNumber[Cancel](KindCancel, body) }

// HostReply answers a [HostCall]: id u64 · status i8 · payload.
type HostReply struct {
	ID      uint64
	Status  int8
	Payload []byte
}

// Append appends the frame.
func (m HostReply) Append(dst []byte) []byte {
	dst = le.AppendUint64(begin(dst, KindHostReply, hostReplyHead+len(m.Payload)), m.ID)
	return append(append(dst, byte(m.Status)), m.Payload...)
}

// ParseHostReply reads the body of a [KindHostReply] frame.
func ParseHostReply(body []byte) (HostReply, error) {
	if len(body) < hostReplyHead {
		return HostReply{}, errShort(KindHostReply, body, hostReplyHead)
	}
	return HostReply{ID: le.Uint64(body), Status: int8(body[8]), Payload: body[hostReplyHead:]}, nil
}

// Stop asks the child to end, with the number of the signal its module is
// told: signal i32.
type Stop int32

// Append appends the frame.
func (m Stop) Append(dst []byte) []byte {
	return le.AppendUint32(begin(dst, KindStop, 4), uint32(m))
}

// ParseStop reads the body of a [KindStop] frame.
func ParseStop(body []byte) (Stop, error) {
	if len(body) != 4 {
		return 0, errLength(KindStop, body, 4)
	}
	return Stop(le.Uint32(body)), nil
}
