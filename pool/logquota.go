package pool

import (
	"fmt"
	"time"

	"github.com/wasmpool/wasmpool/subprocess"
)

// logQuota bounds what one worker may log, in each second of its own.
type logQuota struct {
	second  time.Duration // when it began
	bytes   int64
	dropped int // records, since the last that was taken
}

// take reports whether another record may be logged, and how many were dropped
// before it.
func (q *logQuota) take(now time.Duration, bytes int, limit int64) (ok bool, dropped int) {
	if now-q.second >= time.Second {
		q.second, q.bytes = now, 0
	}
	q.bytes += int64(bytes) + logOverhead
	if q.bytes > limit {
		q.dropped++
		return false, 0
	}
	dropped, q.dropped = q.dropped, 0
	return true, dropped
}

// logOverhead is what a record counts beside its text: an empty line is not free.
// A guess: time, level and the worker's name.
const logOverhead = 64

// Log takes what a worker logs.
func (w *worker) Log(record subprocess.LogRecord) {
	p := w.pool
	now := p.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	limit := p.options.Limits.LogBytes
	if w.module != nil {
		limit = w.module.settings.Limits.LogBytes
	}
	ok, dropped := w.logs.take(now, len(record.Text), limit)
	if dropped > 0 {
		const warn = 4 // as in log/slog
		p.log(w, subprocess.LogRecord{Source: subprocess.LogChild, Level: warn, Text: fmt.Sprintf(
			"%d log records dropped: more than %d bytes in a second (Limits.LogBytes)", dropped, limit)})
	}
	if ok {
		p.log(w, record)
	}
}
