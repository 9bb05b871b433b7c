package pool

import "github.com/wasmpool/wasmpool/internal/takenover"

// The test binary is a taken over worker too, under another name. Variables are
// there before init, which would make it an honest one.
var _ = takenover.Play()
