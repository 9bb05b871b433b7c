package guest

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"time"
)

// Log sends one record to the worker's log: a message and, as in [slog.Log],
// attributes. Records below no level are held back here; the host decides.
func Log(ctx context.Context, level slog.Level, message string, attributes ...any) {
	record := slog.NewRecord(time.Time{}, level, message, 0)
	record.Add(attributes...)
	_ = LogHandler(level).Handle(ctx, record) // it writes to memory
}

// LogHandler returns a handler for records of at least the given level, or of
// [slog.LevelInfo] if that is nil, that sends them to the worker's log:
//
//	slog.SetDefault(slog.New(guest.LogHandler(slog.LevelDebug)))
//
// A record becomes its message followed by the attributes as [slog.TextHandler]
// writes them; the host adds the time. In a native program, outside of a call
// that package guesttest makes, records go to standard error.
func LogHandler(level slog.Leveler) slog.Handler {
	line := new(line)
	return logHandler{line, slog.NewTextHandler(&line.attributes, &slog.HandlerOptions{Level: level, ReplaceAttr: withoutHead})}
}

// logHandler lets a text handler format the attributes.
type logHandler struct {
	line *line
	text slog.Handler
}

// line is where a handler, and those derived from it, write one record after
// the other.
type line struct {
	mu         sync.Mutex
	attributes bytes.Buffer
}

func (h logHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.text.Enabled(ctx, level)
}

func (h logHandler) WithAttrs(attributes []slog.Attr) slog.Handler {
	return logHandler{h.line, h.text.WithAttrs(attributes)}
}

func (h logHandler) WithGroup(name string) slog.Handler {
	return logHandler{h.line, h.text.WithGroup(name)}
}

func (h logHandler) Handle(ctx context.Context, record slog.Record) error {
	message := record.Message
	record.Message, record.Time = "", time.Time{}

	h.line.mu.Lock()
	defer h.line.mu.Unlock()
	h.line.attributes.Reset()
	if err := h.text.Handle(ctx, record); err != nil {
		return err
	}
	text := []byte(message)
	if attributes := bytes.TrimSuffix(h.line.attributes.Bytes(), []byte("\n")); len(attributes) > 0 {
		text = append(append(text, ' '), attributes...)
	}
	hostOf(ctx).Log(int32(record.Level), text)
	return nil
}

// withoutHead drops what the host is told otherwise: the level, and the message,
// which Handle has emptied.
func withoutHead(groups []string, a slog.Attr) slog.Attr {
	if len(groups) > 0 {
		return a
	}
	_, isLevel := a.Value.Any().(slog.Level)
	if a.Key == slog.LevelKey && isLevel || a.Key == slog.MessageKey && a.Value.String() == "" {
		return slog.Attr{}
	}
	return a
}
