package abi

// Fault says why a module cannot be a worker. It crosses process borders: the
// list is append-only.
type Fault string

// What can be wrong with a module.
const (
	NotFoundModule Fault = "not found"      // it cannot be read; found by the parent
	NotWasm        Fault = "not a module"   // not WebAssembly, or invalid
	UnknownImport  Fault = "unknown import" // nothing provides it, or its type is another
	WrongShape     Fault = "wrong shape"    // its exports fit no shape, or not the one set
	InitFailed     Fault = "init failed"    // it trapped, exited or failed while starting
	WrongDigest    Fault = "wrong digest"   // it is not the module that was asked for
	TooLarge       Fault = "too large"      // it exceeds a limit before any call
)
