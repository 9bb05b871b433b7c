// Package wasmtest writes WebAssembly modules byte by byte, for tests that need
// a module which is wrong, or does harm, in a way that no compiler helps with.
// It stands beside such a test what the module is, and what must become of it.
//
// A module that is right but for what it does is made with [New]; one that is
// not a module any more is put together of [Section]s by [Raw]. Nothing here
// checks anything: what was asked for is what is written.
package wasmtest
