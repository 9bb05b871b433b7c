//go:build amd64 || arm64

package spin

// relax tells the processor that this is a loop that polls.
func relax()
