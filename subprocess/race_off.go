//go:build !race

package subprocess

var raceEnv []string

// unboundable says why the memory of a child that is this program cannot be
// bounded, if it cannot.
const unboundable = ""
