//go:build !linux && !darwin

package subprocess

import "errors"

var errUnsupported = errors.New("subprocess: child processes are supported on Linux and macOS only")

// spawn needs descriptors that a child inherits by number.
func spawn(Options) (body, link, error) { return nil, nil, errUnsupported }

// inherit finds nothing: no process is started as a child.
func inherit() (surroundings, bool) { return surroundings{}, false }
