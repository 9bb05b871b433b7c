package isolate

import "bytes"

// lines turns one of a guest's output streams into log records, a line each. It
// holds at most one line of bounded length, however much is written.
type lines struct {
	log    LogFunc
	source LogSource
	bound  int   // bytes of a line; what is more is cut
	tail   *tail // nil: nobody wants the end of the stream

	partial []byte // the beginning of a line whose end has not come
	cut     bool   // and more of it than fits was dropped
}

// ellipsis ends a line that was cut.
const ellipsis = "…"

// Write never fails.
func (l *lines) Write(b []byte) (int, error) {
	if l.tail != nil {
		l.tail.write(b)
	}
	for rest := b; len(rest) > 0; {
		line, after, ended := bytes.Cut(rest, []byte{'\n'})
		rest = after
		if ended && len(l.partial) == 0 && len(line) <= l.bound {
			l.log(l.source, levelInfo, bytes.TrimSuffix(line, []byte{'\r'}))
			continue
		}
		fits := min(len(line), l.bound-len(l.partial))
		l.partial = append(l.partial, line[:fits]...)
		l.cut = l.cut || fits < len(line)
		if ended {
			l.emit()
		}
	}
	return len(b), nil
}

// flush ends a line that has not ended.
func (l *lines) flush() {
	if len(l.partial) > 0 {
		l.emit()
	}
}

func (l *lines) emit() {
	if l.cut {
		l.partial = append(l.partial, ellipsis...)
	}
	l.log(l.source, levelInfo, bytes.TrimSuffix(l.partial, []byte{'\r'}))
	l.partial, l.cut = l.partial[:0], false
}

// tailBytes is how much of a call's standard error is kept for its error. The
// same as a process keeps of its own.
const tailBytes = 8 << 10

// tail keeps the last bytes of what is written to it.
type tail struct{ kept []byte }

func (t *tail) write(b []byte) {
	if len(b) > tailBytes {
		b = b[len(b)-tailBytes:]
	}
	if len(t.kept)+len(b) > 2*tailBytes {
		n := copy(t.kept, t.kept[len(t.kept)-tailBytes:])
		t.kept = t.kept[:n]
	}
	t.kept = append(t.kept, b...)
}

func (t *tail) bytes() []byte { return t.kept[max(0, len(t.kept)-tailBytes):] }

func (t *tail) reset() { t.kept = t.kept[:0] }
