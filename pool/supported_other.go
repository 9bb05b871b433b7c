//go:build !linux && !darwin

package pool

// supported says whether workers can be started here: their end with this
// process's own is kept by what Linux and macOS have.
const supported = false
