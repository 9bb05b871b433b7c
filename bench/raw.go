package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
)

// rawRows are what any call to another process stands on: bytes that come back.
func rawRows(w workload) []row {
	return []row{
		{workload: w, what: "raw socketpair", base: true, start: startSocketpair},
		{workload: w, what: "raw pipes", start: startPipes},
	}
}

// pingPong writes a payload and waits until all of it is back.
func pingPong(w workload, to io.Writer, from io.Reader, end func() error) *target {
	out, in := bytes.Repeat([]byte("x"), w.payload), make([]byte, w.payload)
	return &target{close: end, measure: repeat(w.callers, func(context.Context) error {
		if _, err := to.Write(out); err != nil {
			return fmt.Errorf("writing to the child: %w", err)
		}
		if _, err := io.ReadFull(from, in); err != nil {
			return fmt.Errorf("reading from the child: %w", err)
		}
		return nil
	})}
}

// echoPipes is the other end of the pipes.
func echoPipes() { echo(os.Stdout, os.Stdin) }

// echo writes what it reads, until there is no more. Unlike io.Copy it does not
// take the detour by splice, which costs two more system calls.
func echo(to io.Writer, from io.Reader) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if _, werr := to.Write(buffer[:n]); err != nil || werr != nil {
			return // the parent is gone, and nobody is left to be told
		}
	}
}
