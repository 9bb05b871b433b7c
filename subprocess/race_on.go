//go:build race

package subprocess

// raceEnv ends a child at the first data race, so that none is overlooked.
var raceEnv = []string{"GORACE=halt_on_error=1"}
