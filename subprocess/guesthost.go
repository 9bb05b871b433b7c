package subprocess

import (
	"github.com/wasmpool/wasmpool/abi"
	"github.com/wasmpool/wasmpool/internal/wire"
)

// host asks the parent for a host function and waits for its reply, or for the
// call to be cancelled. While nobody else reads, it reads itself.
func (s *slot) host(name string, payload []byte) HostReply {
	if len(name) > wire.MaxNameBytes {
		return HostReply{Status: abi.HostNotFound}
	}
	c := s.child
	c.mu.Lock()
	if s.cancelled.Load() {
		c.mu.Unlock()
		return HostReply{Status: abi.HostCancelled}
	}
	c.hosted++
	s.asked = c.hosted
	m := wire.HostCall{ID: s.asked, Seq: s.runs, Name: bytesOf(name), Payload: payload}
	c.mu.Unlock()

	b := c.out.open()
	b.buf = m.Append(b.buf)
	c.out.close()
	c.out.flush()

	c.mu.Lock()
	defer c.mu.Unlock()
	for s.asked != 0 && !s.cancelled.Load() {
		c.mu.Unlock()
		led := c.lead(0)
		c.mu.Lock()
		if !led && s.asked != 0 && !s.cancelled.Load() {
			s.wake.Wait()
		}
	}
	if s.asked != 0 {
		s.asked = 0 // the reply may still come, and is dropped
		return HostReply{Status: abi.HostCancelled}
	}
	return s.reply
}

// takeHostReply gives a reply to the slot that waits for it, if it still does.
func (c *child) takeHostReply(m wire.HostReply) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.slots {
		if s.asked == m.ID && m.ID != 0 {
			s.asked = 0
			s.reply = HostReply{Status: m.Status, Payload: append(s.reply.Payload[:0], m.Payload...)}
			s.wake.Signal()
		}
	}
}
