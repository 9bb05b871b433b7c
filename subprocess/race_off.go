//go:build !race

package subprocess

var raceEnv []string
