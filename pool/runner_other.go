//go:build !linux

package pool

import (
	"fmt"
	"runtime"
)

func sealed([]byte) (string, error) {
	return "", fmt.Errorf("%s has no executable memory files: write it to a file, and set Runner to its path", runtime.GOOS)
}
