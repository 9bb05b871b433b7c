package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// roleVariable is the environment variable that makes this program the other end
// of a row.
const roleVariable = "WASMPOOL_BENCH_ROLE"

// roles are what this program may be started as.
var roles = map[string]func(){
	"socket":      echoSocket,
	"pipes":       echoPipes,
	"plugin-rpc":  serveRPC,
	"plugin-grpc": serveGRPC,
}

// ourselves returns a command that is this program in a role. It is not bound to
// a context: its row ends it, when nothing is under way.
func ourselves(role string) (*exec.Cmd, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding this program, to start it again: %w", err)
	}
	cmd := exec.CommandContext(context.Background(), path)
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	return cmd, nil
}

// startPiped starts a command and returns its standard input and output.
func startPiped(cmd *exec.Cmd) (to io.WriteCloser, from io.Reader, err error) {
	if to, err = cmd.StdinPipe(); err != nil {
		return nil, nil, fmt.Errorf("making a pipe: %w", err)
	}
	if from, err = cmd.StdoutPipe(); err != nil {
		return nil, nil, fmt.Errorf("making a pipe: %w", err)
	}
	if err = cmd.Start(); err != nil {
		return nil, nil, err
	}
	return to, from, nil
}
