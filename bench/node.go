package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// nodeDir has the Node.js programs, seen from where `go run .` is meant to run.
const nodeDir = "node"

// nodeLibraries are worker pools of Node.js. The first is the one whose features
// this project carries over.
var nodeLibraries = []string{"@jjavery/worker-pool", "piscina", "tinypool", "tinypool, processes"}

// nodeRows are calls of each of them, and starts.
func nodeRows(works ...workload) []row {
	var rows []row
	for _, library := range nodeLibraries {
		session := sync.OnceValues(func() (*node, error) { return startNode(library) })
		add := func(w workload, ask task) {
			rows = append(rows, row{workload: w, what: "Node.js " + library, start: func(context.Context, workload) (*target, error) {
				n, err := session()
				if err != nil {
					return nil, err
				}
				return &target{close: n.close, measure: n.measure(w, ask)}, nil
			}})
		}
		for _, w := range works {
			add(w, taskCalls)
		}
		add(coldStart, taskStarts)
	}
	return rows
}

// node is a Node.js program with one library. It times calls itself: what it is
// asked for is a line on its standard input, what it saw one on its output.
type node struct {
	ask *json.Encoder
	out *bufio.Reader
	pid int

	kill  context.CancelCauseFunc
	close func() error
}

// patience is how long it may take beyond what it was asked to.
const patience = 20 * time.Second

// errHangs is the end of one that takes longer.
var errHangs = errors.New("the Node.js program hung, and was killed")

// task is what Node.js is asked to do.
type task string

const (
	taskCalls  task = "calls"  // of a pool that is there
	taskStarts task = "starts" // of pools, to the first answer of each
)

// request asks for a round.
type request struct {
	Task         task    `json:"task"`
	Payload      int     `json:"payload"`
	Callers      int     `json:"callers"`
	Workers      int     `json:"workers"`
	Milliseconds float64 `json:"milliseconds"`
	MaxSamples   int     `json:"max_samples"`
}

// reply is what became of it.
type reply struct {
	Nanoseconds float64   `json:"nanoseconds"` // that it took
	Samples     []float64 `json:"samples"`     // each in nanoseconds
	Error       string    `json:"error"`
}

func startNode(library string) (*node, error) {
	path, err := exec.LookPath("node")
	if err != nil {
		return nil, fmt.Errorf("there is no Node.js here: %w", err)
	}
	if _, err := os.Stat(filepath.Join(nodeDir, "node_modules")); err != nil {
		return nil, errors.New("its modules are not installed: the flag -node, or npm ci in bench/node, does that")
	}
	life, kill := context.WithCancelCause(context.Background())
	cmd := exec.CommandContext(life, path, "bench.mjs", library)
	cmd.Dir, cmd.Stderr = nodeDir, os.Stderr
	in, out, err := startPiped(cmd)
	if err != nil {
		kill(nil)
		return nil, fmt.Errorf("starting Node.js: %w", err)
	}
	n := &node{ask: json.NewEncoder(in), out: bufio.NewReader(out), kill: kill, pid: cmd.Process.Pid}
	// Rows share it: the first that ends, ends it.
	n.close = sync.OnceValue(func() error {
		defer time.AfterFunc(patience, func() { kill(errHangs) }).Stop()
		err := errors.Join(in.Close(), cmd.Wait())
		if life.Err() != nil { // that it was killed is not what is wrong, but why may be
			if err = context.Cause(life); errors.Is(err, context.Canceled) {
				err = nil
			}
		}
		kill(nil)
		return err
	})
	return n, nil
}

// measure returns a target's measure of a workload.
func (n *node) measure(w workload, ask task) func(context.Context, []time.Duration, time.Duration) (round, error) {
	return func(ctx context.Context, samples []time.Duration, d time.Duration) (round, error) {
		return n.round(ctx, request{
			Task: ask, Payload: w.payload, Callers: w.callers, Workers: w.workers(),
			Milliseconds: d.Seconds() * 1e3, MaxSamples: len(samples),
		}, samples)
	}
}

// round has Node.js do what a request says.
func (n *node) round(ctx context.Context, r request, samples []time.Duration) (round, error) {
	defer context.AfterFunc(ctx, func() { n.kill(nil) })()
	d := time.Duration(r.Milliseconds * 1e6)
	defer time.AfterFunc(d+patience, func() { n.kill(errHangs) }).Stop()
	if err := n.ask.Encode(r); err != nil {
		return round{}, fmt.Errorf("asking Node.js: %w", err)
	}
	line, err := n.out.ReadBytes('\n')
	if err != nil {
		return round{}, fmt.Errorf("the Node.js program ended early: %w", err)
	}
	return readReply(line, samples)
}

func readReply(line []byte, samples []time.Duration) (round, error) {
	var r reply
	if err := json.Unmarshal(line, &r); err != nil {
		return round{}, fmt.Errorf("reading the reply of Node.js: %w", err)
	}
	if r.Error != "" {
		return round{}, fmt.Errorf("the Node.js program failed: %s", r.Error)
	}
	if len(r.Samples) == 0 || r.Nanoseconds <= 0 {
		return round{}, errors.New("the Node.js program made no call")
	}
	samples = slices.Grow(samples[:0], len(r.Samples))
	for _, ns := range r.Samples {
		samples = append(samples, time.Duration(ns))
	}
	return summarize(samples, time.Duration(r.Nanoseconds)), nil
}

// installNode installs exactly what the lock file names. What npm says goes to w.
func installNode(ctx context.Context, w io.Writer) error {
	cmd := exec.CommandContext(ctx, "npm", "ci", "--no-audit", "--no-fund")
	cmd.Dir, cmd.Stdout, cmd.Stderr = nodeDir, w, w
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("npm ci in %s: %w", nodeDir, err)
	}
	return nil
}
