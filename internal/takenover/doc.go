// Package takenover is a runner that somebody else has taken over: it comes into
// the world like any worker, behind the same wall, and then tries what a guest
// would that has broken out of its engine. It is for tests, which start it as
// the runner of a pool and let it say what it could do.
//
// The module named [Hostile] is where it misbehaves; every other it serves as an
// honest worker does. A call of the hostile module names a try, and returns what
// came of it, unless the try ends the process.
package takenover
