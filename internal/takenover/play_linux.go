package takenover

import (
	"os"
	"path/filepath"

	"github.com/wasmpool/wasmpool/internal/child"
	"github.com/wasmpool/wasmpool/subprocess"
)

// Program is the name of an executable that has been taken over. Names that
// begin with it and a dash are those of parts that begin before the first word
// to the parent.
const Program = "taken-over"

// partVar is the environment variable that tells a worker its part: behind the
// wall it cannot look up what it is called.
const partVar = "TAKEN_OVER"

// parts are what is done in place of coming into the world like a worker.
var parts = map[string]func(){
	Program:             nil,
	Program + "-liar":   sayTheWallIsWhole,
	Program + "-drip":   dripHello,
	Program + "-stage":  stayAStage,
	Program + "-killer": sayItIsSomebodyElse,
}

// Play makes this program a worker that was taken over, if it was started as a
// child under the name of one, and never returns then. It is called before the
// program becomes an honest one.
func Play() struct{} {
	if os.Getenv("WASMPOOL_CHILD") == "" {
		return struct{}{}
	}
	part := os.Getenv(partVar)
	if path, err := os.Executable(); err == nil && part == "" {
		part = filepath.Base(path)
	}
	begin, known := parts[part]
	if !known {
		return struct{}{}
	}
	if os.Getenv("WASMPOOL_STAGE") != "" {
		_ = os.Setenv(partVar, part) // for the worker
	} else {
		_ = os.Unsetenv(partVar)
	}
	if begin != nil {
		begin()
	}
	subprocess.TakeOver(func() subprocess.Handler { return &handler{Handler: child.NewHandler()} })
	return struct{}{}
}
