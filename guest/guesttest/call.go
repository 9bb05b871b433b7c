package guesttest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"

	"github.com/wasmpool/wasmpool/abi"
	"github.com/wasmpool/wasmpool/guest"
)

// call is the host during one call.
type call struct {
	host     *Host
	ctx      context.Context // of the test
	function string
	input    []byte
	about    []byte

	// What the goroutine of the call sets.
	output []byte
	failed []byte
	reply  []byte
}

func (c *call) Input(b []byte) int    { return fill(b, c.input) }
func (c *call) Function(b []byte) int { return fill(b, []byte(c.function)) }
func (c *call) Context(b []byte) int  { return fill(b, c.about) }
func (c *call) Reply(b []byte) int    { return fill(b, c.reply) }
func (c *call) Output(payload []byte) { c.output = append([]byte{}, payload...) }
func (c *call) Fail(payload []byte)   { c.failed = bytes.Clone(payload) }

func fill(b, from []byte) int {
	copy(b, from)
	return len(from)
}

func (c *call) Cancelled() bool { return c.host.Cancelled != nil && c.host.Cancelled() }

func (c *call) Log(level int32, record []byte) {
	c.host.mu.Lock()
	defer c.host.mu.Unlock()
	c.host.logs = append(c.host.logs, Record{slog.Level(level), string(record)})
}

func (c *call) Host(name string, payload []byte) int32 {
	f, granted := c.host.Granted[name]
	switch {
	case !granted:
		return abi.HostNotFound
	case c.Cancelled():
		return abi.HostCancelled
	}
	result, err := f(c.ctx, json.RawMessage(payload))
	if err == nil {
		c.reply, err = json.Marshal(result)
	}
	if err != nil {
		c.reply = errorReply(err)
		return abi.HostFailed
	}
	return int32(len(c.reply))
}

// errorReply is what a host tells a guest of an error.
func errorReply(err error) []byte {
	out := abi.Error{Message: err.Error()}
	if e, ok := errors.AsType[*guest.Error](err); ok {
		out = abi.Error{Name: e.Name, Message: e.Message, Stack: e.Stack, Extra: e.Extra}
		out.Data, _ = json.Marshal(e.Data)
		if e.Data == nil {
			out.Data = nil
		}
	}
	reply, _ := json.Marshal(&out)
	return reply
}
