//go:build !linux

package wazero

func huge([]byte) {}
