package subprocess

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/wasmpool/wasmpool/internal/wire"
)

// maxMessageBytes bounds the text of a refusal. A guess.
const maxMessageBytes = 64 << 10

// loader is a module that arrives.
type loader struct {
	module Module
	want   int // bytes of the source
}

func (c *child) takeLoad(m wire.Load) {
	if c.load != nil {
		panic("bug: subprocess: parent loads a second module")
	}
	if c.limit != nil && m.Addresses > 0 {
		if err := c.limit(int64(m.Addresses)); err != nil {
			panic("subprocess: child: " + err.Error()) // it is told to, and may not go on without
		}
	}
	file, err := c.receive(m.Files > 0)
	if err != nil {
		panic("subprocess: child: " + err.Error()) // it was promised
	}
	c.load = &loader{
		module: Module{
			Settings: append([]byte(nil), m.Settings...),
			Source:   make([]byte, 0, m.SourceBytes),
			Slots:    int(m.Slots),
			File:     file,
		},
		want: int(m.SourceBytes),
	}
	c.takeChunk(nil)
}

func (c *child) takeChunk(chunk []byte) {
	l := c.load
	l.module.Source = append(l.module.Source, chunk...)
	if len(l.module.Source) == l.want {
		go c.loadModule(&l.module) // ends with the answer
	}
}

// loadModule has the handler load the module, answers, and begins to serve.
func (c *child) loadModule(m *Module) {
	answer, err := c.handler.Load(context.Background(), m, c)
	if m.File != nil {
		_ = m.File.Close() // what was written there is checked by the other end
	}
	if err == nil && answer == nil {
		answer = json.RawMessage("null")
	}
	if len(answer) > wire.MaxControlBytes {
		err = fmt.Errorf("description of %d bytes exceeds the maximum of %d bytes", len(answer), wire.MaxControlBytes)
	}
	if err != nil {
		c.answerLoad(wire.Refused(refusal(err)))
		return
	}
	slots := make([]*slot, m.Slots)
	for i := range slots {
		slots[i] = newSlot(c, i)
	}
	c.mu.Lock()
	c.rest.look()
	if c.rest.due {
		c.mu.Unlock()
		c.handler.Rest() // compiling leaves much garbage, and nothing runs yet
		c.mu.Lock()
		c.rest.done()
	}
	c.slots = slots
	c.mu.Unlock()
	if m.Slots > 1 {
		c.turn.lookEvery(slotTick)
	}
	c.answerLoad(wire.Loaded(answer))
	for _, s := range slots {
		go s.serve() // ends with the child
	}
	c.stopIfDone()
}

func (c *child) answerLoad(m wire.Message) {
	b := c.out.open()
	b.buf = m.Append(b.buf)
	c.out.close()
	c.out.flush()
}

// refusal is an error as the body of a refused frame: without a fault when it
// is not the module's.
func refusal(err error) []byte {
	var r *Refusal
	if !errors.As(err, &r) {
		r = &Refusal{Message: err.Error()}
	}
	b, err := json.Marshal(Refusal{Fault: r.Fault, Message: r.Message[:min(len(r.Message), maxMessageBytes)]})
	if err != nil {
		panic("bug: subprocess: " + err.Error()) // two strings
	}
	return b
}
