//go:build !wasip1

package main

func openAt(int32, string) uint32 { return 52 } // WASI's ENOSYS
