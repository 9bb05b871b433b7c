// Package sandbox is the wall that the operating system puts around a child
// process.
//
// The wall has layers, and each of them stands alone: a [Layer] is on, or it is
// off for a reason that can be told. They are built at four moments:
//
//	parent      [Enter]: it clones the worker into namespaces of its own, and the
//	            clone, by system calls prepared before, makes itself an empty root,
//	            gives up who it was, and executes the program
//	worker      [Confine], before it says hello: it tries what must be refused,
//	            filters its system calls, and reports
//	parent      [Watch]: it reads in /proc whether what was reported is so
//	worker      [Seal], after the module is compiled and before any of it runs:
//	            no new code, and no file but those that were granted
//
// A Go program cannot run Go between clone and exec, and the price of a clone
// that copies memory grows with the memory: 24 ms at 512 MiB. So the clone uses
// its parent's, as vfork(2) has it, and what it does is a few lines of assembly
// that go through the list of system calls.
//
// A broken-out guest is what the wall is for. Nothing that a worker says after
// it has met a module counts: its report is made before, and what the parent
// reads is the kernel's word.
package sandbox
