// Package pool runs functions of untrusted WebAssembly modules in a pool of
// child processes: load balanced, scaled with the calls, reloaded without losing
// one.
//
//	p, err := pool.New(pool.Options{Min: 1, Max: 5})
//	if err != nil { … }
//	defer p.Close()
//	greet := pool.Func[string](p, "worker.wasm", "greet")
//	s, err := greet(ctx, "world")
//
// # Processes
//
// The processes are this program itself, started again: importing the package
// registers an init that takes over in them, before main, and serves. A program
// that cannot be started again that way sets Options.Runner.
//
// A process serves one module, ever. Options.Max bounds the processes of all
// modules together. They start when calls ask for them, end when they are idle,
// and are replaced when they are lost.
//
// # Calls
//
// Every call ends exactly once: with its result, or with an error that says
// whose fault it was and whether the function may have run. A call that surely
// did not start is sent to another worker when its own is lost.
//
// A deadline is kept by killing: no check is compiled into the guest's code, and
// the caller returns at once, whatever the guest does.
//
// # States
//
//	stopped ──Start──▶ starting ──▶ started ──Stop──▶ stopping ──▶ stopped
//
// New starts the pool unless Options.Manual is set. A stopped pool can be started
// again.
//
// # Concurrency
//
// All functions and methods of the package are safe for concurrent use.
package pool
