// Command deadline calls a function that never returns.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/wasmpool/wasmpool/pool"
	"github.com/wasmpool/wasmpool/testdata/wasm"
)

func main() {
	if err := run(os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// run makes the calls and writes about them.
func run(w io.Writer) error {
	ended := make(chan pool.WorkerExit, 10)
	p, err := pool.New(pool.Options{
		Max:         1,
		CancelGrace: 50 * time.Millisecond, // for guests that look whether they are cancelled; this one does not
		Modules:     map[string]pool.Module{"worker": {Bytes: wasm.Module("echo")}},
		Events:      pool.Events{WorkerExited: func(e pool.WorkerExit) { ended <- e }},
	})
	if err != nil {
		return err
	}
	defer p.Close()

	// Only the time that it runs counts, not that of starting its process.
	loop := p.Proxy("worker", "loop", pool.Timeout(100*time.Millisecond))
	_, err = loop(context.Background())
	fmt.Fprintln(w, "loop:", err)
	fmt.Fprintln(w, "it is a deadline:", errors.Is(err, context.DeadlineExceeded))

	sum, err := p.Call(context.Background(), "worker", "add", 2, 3)
	if err != nil {
		return err
	}
	fmt.Fprintln(w, "the next call:", string(sum))
	fmt.Fprintln(w, "the process of the first:", (<-ended).Exit)
	return nil
}
