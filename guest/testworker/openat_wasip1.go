package main

import "unsafe"

//go:wasmimport wasi_snapshot_preview1 path_open
//go:noescape
func pathOpen(dir int32, lookup uint32, path unsafe.Pointer, length, flags uint32, rights, inheriting uint64, fdFlags uint32, fd unsafe.Pointer) uint32

// openAt opens a path below a descriptor by WASI itself, without what the
// language makes of the path first, and returns the number of the error.
func openAt(dir int32, path string) uint32 {
	var fd int32
	const follow, read = 1, 2
	return pathOpen(dir, follow, unsafe.Pointer(unsafe.StringData(path)), uint32(len(path)), 0, read, read, 0, unsafe.Pointer(&fd))
}
