package pool

import "github.com/wasmpool/wasmpool/internal/takenover"

// A copy of the test binary is a taken over worker. Variables are there before
// init, which would make it an honest one.
var _ = takenover.Play()
