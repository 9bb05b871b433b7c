package wire

import "fmt"

// Message is what a frame says.
type Message interface {
	// Append appends the message as a whole frame.
	Append(dst []byte) []byte
}

// Message reads a frame of any kind. Byte slices in it are views of the body.
// The Parse functions do the same for one kind, without an allocation.
func (f Frame) Message() (Message, error) {
	switch f.Kind {
	case KindHello:
		return boxed(ParseHello(f.Body))
	case KindLoaded:
		return Loaded(f.Body), nil
	case KindRefused:
		return Refused(f.Body), nil
	case KindReply:
		return boxed(ParseReply(f.Body))
	case KindHostCall:
		return boxed(ParseHostCall(f.Body))
	case KindLog:
		return boxed(ParseLog(f.Body))
	case KindLogsDropped:
		return boxed(ParseLogsDropped(f.Body))
	case KindLoad:
		return boxed(ParseLoad(f.Body))
	case KindChunk:
		return Chunk(f.Body), nil
	case KindCall:
		return boxed(ParseCall(f.Body))
	case KindCancel:
		return boxed(ParseCancel(f.Body))
	case KindRecall:
		return boxed(ParseRecall(f.Body))
	case KindHostReply:
		return boxed(ParseHostReply(f.Body))
	case KindStop:
		return boxed(ParseStop(f.Body))
	}
	return nil, fmt.Errorf("wire: unknown %v", f.Kind)
}

// boxed makes a message of a parser's answer: nil when there is an error.
func boxed[M Message](m M, err error) (Message, error) {
	if err != nil {
		return nil, err
	}
	return m, nil
}
