// Package abi is what a host and a guest agree on: the names a worker module
// imports and exports, the way a call can end, and the shape of an error.
//
// It depends on the standard library only and builds for wasip1, so that both
// ends of the border import one set of definitions.
package abi

import (
	"strings"
	"unicode/utf8"
)

// Version is the version of the worker ABI. It is also carried by the name of
// the import module: a version 2 would be imported from "wasmpool2".
const Version = 1

// Module is the name of the module that a worker imports from.
const Module = "wasmpool"

// Imports of module [Module]; each is optional for the guest.
const (
	ImportInput     = "input"     // (ptr, cap) -> i32
	ImportOutput    = "output"    // (ptr, len)
	ImportFail      = "fail"      // (ptr, len)
	ImportFunction  = "function"  // (ptr, cap) -> i32
	ImportContext   = "context"   // (ptr, cap) -> i32
	ImportCancelled = "cancelled" // () -> i32
	ImportLog       = "log"       // (level, ptr, len)
	ImportHost      = "host"      // (name_ptr, name_len, ptr, len) -> i32
	ImportReply     = "reply"     // (ptr, cap) -> i32
)

// Exports of a worker module.
const (
	ExportCall       = "wasmpool_call"      // () -> i32, optional dispatcher
	ExportFunctions  = "wasmpool_functions" // () -> i32, optional list of names
	ExportInit       = "wasmpool_init"      // () -> i32, optional
	ExportSignal     = "wasmpool_signal"    // (i32) -> (), optional
	ExportInitialize = "_initialize"        // () -> (), WASI reactors
	ExportStart      = "_start"             // () -> (), WASI commands
	ExportMemory     = "memory"             // required
)

// Results of the import "host" that are not the length of a reply.
const (
	HostFailed    = -1 // the function failed; the reply is the error
	HostNotFound  = -2 // no such function is granted
	HostCancelled = -3 // the call was cancelled
)

// MaxNameBytes bounds the name of a worker function.
const MaxNameBytes = 255

// Callable reports whether name may be called: UTF-8, 1 to [MaxNameBytes]
// bytes, and none of the names that belong to the ABI or to the toolchain
// (those that begin with "_" or "wasmpool_").
func Callable(name string) bool {
	return name != "" && len(name) <= MaxNameBytes && utf8.ValidString(name) &&
		!strings.HasPrefix(name, "_") && !strings.HasPrefix(name, "wasmpool_")
}

// Shape is the way a module serves calls.
type Shape string

// The shapes of ABI version 1. The zero Shape means: told from the exports.
const (
	Reactor Shape = "reactor" // one call of an export, in an instance that lives on
	Server  Shape = "server"  // one line on standard input, one on standard output
	Command Shape = "command" // one fresh run of _start
)
