package pool

import (
	"errors"
	"maps"
	"slices"

	"github.com/wasmpool/wasmpool/internal/sched"
)

// Resize changes Min and Max. Workers that are too many end when they have no
// call; that there are Min is seen to, but not waited for.
func (p *Pool) Resize(least, most int) error {
	v := validator{}
	v.within("Max", most, 1, maxProcesses)
	v.within("Min", least, 0, max(most, 0))
	if err := errors.Join(v.faults...); err != nil {
		return err
	}
	var fl flushes
	p.mu.Lock()
	p.step(sched.Resize(least, most), &fl)
	p.mu.Unlock()
	fl.flush()
	return nil
}

// SetDir changes the directory against which relative module paths are resolved,
// from the next start or recycle on.
func (p *Pool) SetDir(dir string) error {
	abs, err := absolute(dir)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.settings.dir = abs
	return nil
}

// SetArgs changes the guests' arguments, from the next start or recycle on.
func (p *Pool) SetArgs(args ...string) error {
	v := validator{}
	v.args("Args", args)
	if len(v.faults) > 0 {
		return errors.Join(v.faults...)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.settings.args = slices.Clone(args)
	return nil
}

// SetEnv changes the guests' environment, from the next start or recycle on.
func (p *Pool) SetEnv(env map[string]string) error {
	v := validator{}
	v.env("Env", env)
	if len(v.faults) > 0 {
		return errors.Join(v.faults...)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.settings.env = maps.Clone(env)
	return nil
}
