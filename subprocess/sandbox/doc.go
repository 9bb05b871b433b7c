// Package sandbox is the wall that the operating system puts around a child
// process.
//
// The wall has layers, and each of them stands alone: a [Layer] is on, or it is
// off for a reason that can be told. They are built at four moments:
//
//	parent         a first stage of the child starts: the same program, a moment only
//	first stage    [Enter]: it clones the worker into namespaces of its own, and that
//	               one, by system calls prepared before, makes itself an empty root,
//	               gives up who it was, and executes the program again
//	worker         [Confine], before it says hello: it tries what must be refused,
//	               filters its system calls, and reports
//	parent         [Watch]: limits the worker's memory from outside, and reads in
//	               /proc whether what it reported is so
//	worker         [Seal], after the module is compiled and before any of it runs:
//	               no new code, and no file but those that were granted
//
// The first stage is there because a Go program cannot run code between fork and
// exec, and because the price of a clone into a new user namespace grows with
// the memory of the one who clones: 24 ms at 512 MiB. The stage is small
// whatever the size of the program that has the pool.
//
// A broken-out guest is what the wall is for. Nothing that a worker says after
// it has met a module counts: its report is made before, and what the parent
// reads is the kernel's word.
package sandbox
