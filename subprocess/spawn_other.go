//go:build !linux && !darwin

package subprocess

// spawn needs descriptors that a child inherits by number.
func spawn(Options) (body, link, error) { return nil, nil, errUnsupported }

// inherit finds nothing: no process is started as a child.
func inherit() (surroundings, bool) { return surroundings{}, false }
