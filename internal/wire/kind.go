package wire

import "strconv"

// Version is the version of this protocol. The two ends must have the same:
// they are one program, or were built to work together.
const Version = 1

// Kind says what a frame is. Kinds are append-only within a [Version].
type Kind uint8

// The kinds, as the two ends exchange them:
//
//	parent                      child
//	   │ ◀───────────── Hello ── │  first of all, and once
//	   │ ── Load ──────────────▶ │  once
//	   │ ── Chunk … ───────────▶ │  until the source is complete
//	   │ ◀── Loaded or Refused ─ │
//	   │                         │
//	   │ ── Call ──────────────▶ │  any number, without waiting
//	   │ ── Recall, Cancel ────▶ │
//	   │ ◀───────────── Reply ── │  one for every Call, in the order they end
//	   │                         │
//	   │ ◀────────── HostCall ── │  during a call, one at a time for each call
//	   │ ── HostReply ─────────▶ │  unless the call has ended before
//	   │                         │
//	   │ ◀─── Log, LogsDropped ─ │  any time after Hello
//	   │                         │
//	   │ ── Stop ──────────────▶ │  the last; the child ends what it has and exits
const (
	KindHello       Kind = 1 // child → parent: [Hello]
	KindLoaded      Kind = 2 // child → parent: [Loaded]
	KindRefused     Kind = 3 // child → parent: [Refused]
	KindReply       Kind = 4 // child → parent: [Reply]
	KindHostCall    Kind = 5 // child → parent: [HostCall]
	KindLog         Kind = 6 // child → parent: [Log]
	KindLogsDropped Kind = 7 // child → parent: [LogsDropped]

	KindLoad      Kind = 16 // parent → child: [Load]
	KindChunk     Kind = 17 // parent → child: [Chunk]
	KindCall      Kind = 18 // parent → child: [Call]
	KindCancel    Kind = 19 // parent → child: [Cancel]
	KindHostReply Kind = 20 // parent → child: [HostReply]
	KindStop      Kind = 21 // parent → child: [Stop]
	KindRecall    Kind = 22 // parent → child: [Recall]

	kinds = 23 // one more than the greatest
)

var kindNames = [kinds]string{
	KindHello: "hello", KindLoaded: "loaded", KindRefused: "refused", KindReply: "reply",
	KindHostCall: "host call", KindLog: "log", KindLogsDropped: "logs dropped",
	KindLoad: "load", KindChunk: "chunk", KindCall: "call", KindCancel: "cancel",
	KindHostReply: "host reply", KindStop: "stop", KindRecall: "recall",
}

func (k Kind) String() string {
	if int(k) < len(kindNames) && kindNames[k] != "" {
		return kindNames[k]
	}
	return "kind " + strconv.Itoa(int(k))
}
