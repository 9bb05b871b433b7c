//go:build unix && !linux

package pool_test

import "testing"

func mount(t *testing.T, _, _ string) {
	t.Helper()
	t.Skip("file systems are mounted on Linux only")
}
