package pool

import (
	"crypto/sha256"
	"fmt"
	"sync"
)

// runners are the executables in memory, by their digest. They stay to the end of
// the program: a pool may start a process at any time.
var runners struct {
	sync.Mutex
	paths map[[sha256.Size]byte]string
}

// RunnerBytes returns a path for [Options].Runner that leads to an executable
// which the program carries with it, by go:embed for one. It is kept in sealed
// memory, which nobody can change, until the program ends; the same bytes are
// kept once. It is safe for concurrent use. Linux only.
//
//	//go:embed wasmpool-runner
//	var runner []byte
//
//	path, err := pool.RunnerBytes(runner)
//	p, err := pool.New(pool.Options{Runner: path})
func RunnerBytes(executable []byte) (path string, err error) {
	if len(executable) == 0 {
		return "", fmt.Errorf("pool: runner of 0 bytes; want an executable")
	}
	digest := sha256.Sum256(executable)
	runners.Lock()
	defer runners.Unlock()
	if path, ok := runners.paths[digest]; ok {
		return path, nil
	}
	if path, err = sealed(executable); err != nil {
		return "", fmt.Errorf("pool: runner of %d bytes: %w", len(executable), err)
	}
	if runners.paths == nil {
		runners.paths = make(map[[sha256.Size]byte]string)
	}
	runners.paths[digest] = path
	return path, nil
}
