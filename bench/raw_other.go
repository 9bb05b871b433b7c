//go:build !linux && !darwin

package main

import (
	"context"
	"errors"
	"runtime"
)

// errNoRaw is why these rows are not measured where the pool does not run.
var errNoRaw = errors.New("raw processes are measured on Linux and macOS only, and this is " + runtime.GOOS)

func startSocketpair(context.Context, workload) (*target, error) { return nil, errNoRaw }
func startPipes(context.Context, workload) (*target, error)      { return nil, errNoRaw }
func echoSocket()                                                { panic("bug: bench: nobody starts this on " + runtime.GOOS) }
