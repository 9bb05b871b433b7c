package wire

import "math"

// What a frame may hold beside a payload.
const (
	// MaxNameBytes bounds a name: its length is one byte.
	MaxNameBytes = math.MaxUint8

	// MaxLogBytes bounds the text of one log record. A guess: a line of a log,
	// with a stack trace.
	MaxLogBytes = 16 << 10

	// MaxControlBytes bounds the JSON of [Hello], [Loaded] and [Refused]. A guess: the description of a module with some thousand
	// exports.
	MaxControlBytes = 1 << 20

	// MaxPayloadBytes bounds what a length of 32 bits can say, with room for the
	// largest head. The ABI has no larger payload.
	MaxPayloadBytes = math.MaxInt32
)

// Limits are the largest bodies that one direction accepts, in bytes by kind.
// A kind with zero is not accepted at all.
type Limits [kinds]int64

// FromChild are the limits of a parent, for replies and host calls of at most
// payload bytes each.
func FromChild(payload int64) Limits {
	payload = min(payload, MaxPayloadBytes)
	return Limits{
		KindHello:       helloHead + MaxNameBytes + MaxControlBytes,
		KindLoaded:      MaxControlBytes,
		KindRefused:     MaxControlBytes,
		KindReply:       replyHead + payload,
		KindHostCall:    hostCallHead + MaxNameBytes + payload,
		KindLog:         logHead + MaxLogBytes,
		KindLogsDropped: numberBytes,
	}
}

// FromParent are the limits of a child. It trusts its parent: they catch a
// broken stream, and bound nothing else.
func FromParent() Limits {
	return Limits{
		KindLoad:      loadHead + MaxPayloadBytes,
		KindChunk:     MaxPayloadBytes,
		KindCall:      callHead + MaxNameBytes + MaxPayloadBytes,
		KindCancel:    numberBytes,
		KindRecall:    numberBytes,
		KindHostReply: hostReplyHead + MaxPayloadBytes,
		KindStop:      4,
	}
}
