package subprocess

import "github.com/wasmpool/wasmpool/internal/wire"

// maxLogsWaiting bounds the log records that wait to be written, in bytes. A
// guess: some thousand lines.
const maxLogsWaiting = 256 << 10

// Log is [Outlet].Log: records that the parent does not take are dropped, and
// counted.
func (c *child) Log(source LogSource, level int32, text []byte) {
	m := wire.Log{Source: uint8(source), Level: level, Text: text[:min(len(text), wire.MaxLogBytes)]}
	b := c.out.open()
	if b.logBytes >= maxLogsWaiting {
		c.dropped++
		c.out.close()
		return
	}
	before := len(b.buf)
	if c.dropped > 0 {
		b.buf = wire.LogsDropped(c.dropped).Append(b.buf)
		c.dropped = 0
	}
	b.buf = m.Append(b.buf)
	b.logBytes += len(b.buf) - before
	c.out.close()
	c.out.flush()
}

// Seal is [Outlet].Seal.
func (c *child) Seal() error {
	if c.seal == nil {
		return nil
	}
	return c.seal()
}
