//go:build race

package subprocess

// raceEnv ends a child at the first data race, so that none is overlooked, and
// spares it the second that the race detector otherwise waits at every exit.
var raceEnv = []string{"GORACE=halt_on_error=1 atexit_sleep_ms=0"}
