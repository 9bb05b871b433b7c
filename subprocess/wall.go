package subprocess

import (
	"errors"
	"slices"

	"github.com/wasmpool/wasmpool/subprocess/sandbox"
)

// WallError says which layers of the sandbox a process had to have and does not.
type WallError struct {
	Missing []sandbox.State
}

func (e *WallError) Error() string {
	return "subprocess: its sandbox lacks what is required: " + sandbox.Reasons(e.Missing)
}

// Wall is what is known of each layer of the wall around the process: what it
// could try by itself before it met a module, and what this side has seen.
func (p *Process) Wall() sandbox.Report { return p.wall }

// inspectWall compares what a child reported in its hello with what can be
// seen, and ends it when a layer is not there that must be. It has not learned
// of a module yet.
func (p *Process) inspectWall() {
	plan := p.options.Sandbox
	if plan.Layers == 0 {
		return
	}
	wall := sandbox.NewReport(plan.Layers)
	wall.Merge(p.body.built())
	if p.options.Runner == "" && unboundable != "" {
		wall.Merge(sandbox.Report{sandbox.Memory: unboundable})
	}
	for l := range wall {
		if _, told := p.claimed[l]; !told {
			wall.Merge(sandbox.Report{l: "the runner says nothing of it"})
		}
	}
	wall.Merge(p.claimed)
	p.witness, p.wall = sandbox.Watch(p.PID(), plan, wall)
	missing := slices.DeleteFunc(sandbox.Off(p.wall.States()), func(s sandbox.State) bool { return !p.options.Require.Has(s.Layer) })
	if len(missing) > 0 {
		p.Kill(&WallError{missing})
	}
}

// addresses is the bound of addresses for a process that is about to load a
// module, or 0.
func (p *Process) addresses(m *Module) (int64, error) {
	if m.Memory == 0 || !p.wall.On().Has(sandbox.Memory) {
		return 0, nil
	}
	now, err := sandbox.Addresses(p.PID())
	return now + m.Memory, err
}

// checkLoaded looks whether a process that has loaded its module did with itself
// what it was told to.
func (p *Process) checkLoaded(m *Module, addresses int64) error {
	var errs []error
	if addresses > 0 {
		errs = append(errs, p.witness.Limited(addresses))
	}
	if m.Seals && p.wall.On().Has(sandbox.Code) {
		errs = append(errs, p.witness.Sealed())
	}
	return errors.Join(errs...)
}
