// Package subprocess is one child process, both ends.
//
// The parent end is a [Process]: [Start] spawns it, [Process.Load] gives it a
// module, [Process.Queue] and [Process.Flush] send calls, a [Sink] takes what
// comes back, and exactly one [Exit] says how it ended. The child end is
// [TakeOver], which serves a [Handler] in a program that was started as a child.
// By default that is the same program again. [Local] joins the two ends in one
// process, for tests.
//
// # What the parent relies on
//
// Nothing that a child does. Every byte from it is checked, what it can make
// the parent hold is bounded, and whatever it does wrong ends it, with a reason
// in its [Exit] that says what it was. To kill it, to notice its death and to
// know which calls it had begun takes no cooperation: before the child starts a
// call it publishes the call's number in memory that outlives it.
//
// # Who reads
//
// On the way of a call no goroutine hands over to another where that can be
// avoided: on a machine with few processors a wake-up between two goroutines
// costs more than the rest of the call. In the child, the goroutine of an idle
// slot reads the connection and runs the call that it finds. In the parent, a
// caller that waits for the only call under way may read its reply itself, with
// [Process.Attend]. Each end has a keeper besides, a goroutine that reads
// when nobody else does (see turn.go for when it looks), so that a guest that
// runs for an hour, or a caller that went away, keeps nobody waiting. A child's
// goroutines wait for the connection, and its keeper for the time, in the kernel:
// what Go's runtime does for those who wait may stand still while a guest runs.
//
// # Files
//
// The ends: process.go, queue.go, receive.go, hosting.go, load.go and end.go
// are the parent, child.go, loader.go, slot.go, guesthost.go, outlet.go and
// rest.go the child, jobs.go and buffers.go what waits there.
// Between them: link.go (what connects them), shared_linux.go and
// shared_child_linux.go with rings_linux.go, socket_unix.go with socket_child_unix.go,
// and pipe.go (its kinds), outbox.go and batch.go (writing), turn.go (reading),
// alarm*.go (waiting). How a process comes to be: spawn*.go, takeover*.go,
// memory*.go and local.go.
package subprocess
