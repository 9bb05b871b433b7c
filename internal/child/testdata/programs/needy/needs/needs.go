// Package needs needs its environment when it is initialized: before the pool's
// packages are, by its path.
package needs

import (
	"log"
	"os"
)

var _ = needed()

func needed() string {
	value, ok := os.LookupEnv("NEEDED")
	if !ok {
		log.Fatal("NEEDED is not set")
	}
	return value
}
