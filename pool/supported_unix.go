//go:build linux || darwin

package pool

const supported = true
