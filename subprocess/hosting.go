package subprocess

import (
	"context"
	"errors"
	"fmt"

	"github.com/wasmpool/wasmpool/abi"
	"github.com/wasmpool/wasmpool/internal/wire"
)

// maxLingers bounds the host functions that still run although the call that
// asked for them has ended. A guess: they were cancelled, so they should be
// few; above it the child is told that its host calls fail.
const maxLingers = 64

// spareHostPayloads is how many payloads of the largest size host functions may
// hold beyond one for each slot, all of one child together: those that still run
// although their calls have ended included. A guess: an honest child needs no
// more than one for each slot while host functions end with their contexts.
const spareHostPayloads = 1

// hosting is a host function that runs for a call.
type hosting struct {
	id     uint64
	cancel context.CancelFunc
}

// takeHostCall runs a host function. A call of the child may have one at a
// time, and so may each of its slots: more is a violation.
func (p *Process) takeHostCall(body []byte) error {
	m, err := wire.ParseHostCall(body)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(p.context)
	h := &hosting{id: m.ID, cancel: cancel}
	bytes := int64(len(m.Payload))
	if err := p.beginHosting(m.Seq, h, bytes); err != nil {
		cancel()
		switch {
		case errors.Is(err, errCancelled):
			return nil // and no answer: the child has the cancel by now, or soon
		case errors.Is(err, errLingering), errors.Is(err, errHoarding):
			p.answer(m.Seq, h, HostReply{Status: abi.HostFailed, Payload: []byte(`{"message":"` + err.Error() + `"}`)})
			return nil
		}
		return err
	}
	request := HostRequest{Seq: m.Seq, Name: string(m.Name), Payload: append([]byte(nil), m.Payload...)}
	go func() { // ends with the host function; its context ends with the call
		defer cancel()
		reply := p.sink.Host(ctx, request)
		p.mu.Lock()
		p.hosts--
		p.hostBytes -= bytes
		p.mu.Unlock()
		p.answer(request.Seq, h, reply)
	}()
	return nil
}

var (
	errLingering = errors.New("too many host functions still run for calls that have ended")
	errHoarding  = errors.New("host functions that still run for calls that have ended hold too many bytes")
	errCancelled = errors.New("cancelled")
)

// beginHosting notes that a host function begins to run, with a payload of so
// many bytes. What slots ask for at once always fits: it is those that linger
// which make it fail for lack of room.
func (p *Process) beginHosting(seq uint64, h *hosting, bytes int64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	call := p.waiting.find(seq)
	if call == nil {
		return fmt.Errorf("host call for call %d, which is not under way", seq)
	}
	call.begun = true
	if call.cancelled {
		return errCancelled
	}
	if p.hosting[seq] != nil {
		return fmt.Errorf("second host call at once for call %d", seq)
	}
	if len(p.hosting) >= p.slots {
		return fmt.Errorf("%d host calls at once, with %d slots", len(p.hosting)+1, p.slots)
	}
	p.hosting[seq] = h
	if p.hosts >= p.slots+maxLingers {
		return errLingering
	}
	if p.hostBytes+bytes > p.options.MaxPayload*int64(p.slots+spareHostPayloads) {
		return errHoarding
	}
	p.hosts++
	p.hostBytes += bytes
	return nil
}

// answer sends a host function's reply, unless its call has ended.
func (p *Process) answer(seq uint64, h *hosting, reply HostReply) {
	p.mu.Lock()
	wanted := p.hosting[seq] == h
	if wanted {
		delete(p.hosting, seq)
	}
	most := 2*p.slots + 8
	p.mu.Unlock()
	if !wanted {
		return
	}
	b := p.out.open()
	b.answers++
	// An honest slot reads one answer before it asks again.
	unread := b.answers > most
	if !unread {
		b.buf = wire.HostReply{ID: h.id, Status: reply.Status, Payload: reply.Payload}.Append(b.buf)
	}
	p.out.close()
	if unread {
		p.Kill(&violation{fmt.Errorf("more than %d answers of host functions not read", most)})
		return
	}
	p.out.flush()
}
