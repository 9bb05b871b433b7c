// Package wire is the bytes between a parent and its child process.
//
// It knows no process and no engine: it turns messages into frames and frames
// into messages. A frame is, in little-endian order,
//
//	length u32 · kind u8 · body
//
// where length counts the kind and the body. Integers have fixed widths, and
// what has no length of its own is the rest of the body, so a message has
// exactly one encoding, and every frame can be read without the one before it.
// The stream of them goes through a socket, or through a [Producer] and a
// [Consumer], the ends of a ring in memory that the two processes share.
//
// Nothing in a frame is trusted. A length is compared with what the reader
// accepts for that kind before anything is allocated, and a buffer grows with
// the bytes that arrive, not with those that are announced, above a bound that is
// small. Nothing in a ring is trusted either: not that it stays as it is.
package wire
