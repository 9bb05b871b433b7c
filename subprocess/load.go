package subprocess

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/wasmpool/wasmpool/internal/wire"
)

// chunkBytes is how much of a module's source one frame carries. A guess: the
// child reads it with little to grow.
const chunkBytes = 64 << 10

// Load gives the child its module, once, and returns what the child's handler
// answers. The error is a *[Refusal] when the module is at fault, an
// *[ExitError] when the process has ended, the context's own when that ends
// first (the process is then still loading, and the caller's to kill), and
// another when the child could not load the module for reasons of its own. The
// source must not be changed before the end of the process.
func (p *Process) Load(ctx context.Context, m *Module) (json.RawMessage, error) {
	if m.Slots < 1 {
		return nil, fmt.Errorf("subprocess: module with %d slots, want at least 1", m.Slots)
	}
	if err := p.beginLoad(m.Slots); err != nil {
		return nil, err
	}
	addresses, err := p.addresses(m)
	if err != nil {
		return nil, err
	}
	if m.Resident > 0 {
		if err := p.body.bound(m.Resident); err != nil {
			err = fmt.Errorf("subprocess: bound of the process's memory: %w", err)
			p.Kill(err)
			<-p.ended // perhaps by itself, and that is why
			return nil, errors.Join(err, &ExitError{p.exit})
		}
	}
	if m.File != nil {
		if err := p.body.give(m.File); err != nil {
			return nil, fmt.Errorf("subprocess: file of the module: %w", err)
		}
	}
	p.sendModule(m, addresses)
	p.Flush()
	select {
	case a := <-p.loaded:
		return p.answered(m, addresses, a)
	case <-p.ended:
		select {
		case a := <-p.loaded: // its last words
			return p.answered(m, addresses, a)
		default:
			return nil, &ExitError{p.exit}
		}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// answered is what comes of an answer.
func (p *Process) answered(m *Module, addresses int64, a loadAnswer) (json.RawMessage, error) {
	if a.err == nil {
		a.err = p.checkLoaded(m, addresses)
	}
	return a.json, a.err
}

func (p *Process) beginLoad(slots int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch p.phase {
	case blank:
	case gone:
		return &ExitError{p.exit}
	default:
		return errors.New("subprocess: load of a second module")
	}
	p.phase = loading
	p.slots = slots
	return nil
}

func (p *Process) sendModule(m *Module, addresses int64) {
	b := p.out.open()
	defer p.out.close()
	var files uint8
	if m.File != nil {
		files = 1
	}
	load := wire.Load{
		Slots: uint32(m.Slots), Addresses: uint64(addresses), Files: files, Settings: m.Settings, SourceBytes: uint64(len(m.Source)),
	}
	b.buf = load.Append(b.buf)
	for source := m.Source; len(source) > 0; {
		chunk := wire.Chunk(source[:min(len(source), chunkBytes)])
		source = source[len(chunk):]
		b.buf = chunk.AppendHead(b.buf)
		b.insert(chunk, nil)
	}
}

func (p *Process) takeLoadAnswer(f wire.Frame) error {
	a := loadAnswer{json: append([]byte(nil), f.Body...)}
	if f.Kind == wire.KindRefused {
		r := new(Refusal)
		if err := json.Unmarshal(f.Body, r); err != nil {
			return fmt.Errorf("refused frame: %w", err)
		}
		a = loadAnswer{err: r}
		if r.Fault == "" {
			a.err = fmt.Errorf("subprocess: load: %s", r.Message)
		}
	} else if !json.Valid(f.Body) {
		return errors.New("loaded frame that is not JSON")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.phase != loading {
		return fmt.Errorf("%v frame, with no module being loaded", f.Kind)
	}
	p.phase = serving
	p.loaded <- a // has room: there is one load
	return nil
}
