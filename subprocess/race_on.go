//go:build race

package subprocess

// raceEnv ends a child at the first data race, so that none is overlooked, and
// spares it the second that the race detector otherwise waits at every exit.
var raceEnv = []string{"GORACE=halt_on_error=1 atexit_sleep_ms=0"}

// unboundable says why the memory of a child that is this program cannot be
// bounded: under a bound of its size and 256 MiB more it was seen to crash.
const unboundable = "the race detector, with which this program is built, needs addresses without a bound"
