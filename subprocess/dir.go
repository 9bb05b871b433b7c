package subprocess

// Dir is a directory that a process is granted.
type Dir struct {
	Path     string // absolute, without symbolic links; it exists
	Writable bool   // else it is only read
}
