// Command quickstart is the first example of @jjavery/worker-pool: 1,000 calls,
// then stop, and all 1,000 answer.
package main

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"log"
	"log/slog"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/wasmpool/wasmpool/pool"
)

//go:embed worker/worker.wasm
var worker []byte

const (
	calls = 1000 // that are made
	every = 50   // of them, one is printed
)

func main() {
	if err := run(os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// run makes the calls and writes about them.
func run(w io.Writer) error {
	shifts := map[int]int{} // how many calls a process has completed, by pid
	logged := 0

	// The pool starts with one process and has up to five. Fill queues up to 10
	// calls in the first worker that is not full before it moves on to the next;
	// when all are full, it takes the least full one.
	p, err := pool.New(pool.Options{
		Min: 1, Max: 5, Strategy: pool.Fill, Full: 10,
		Modules: map[string]pool.Module{"worker": {Bytes: worker}},
		Logger:  slog.New(slog.DiscardHandler),
		Events: pool.Events{Log: func(r pool.LogRecord) {
			shifts[r.PID]++
			if logged++; logged%every == 0 {
				fmt.Fprintf(w, "call %4d: [%d] %s\n", logged, r.PID, r.Message)
			}
		}},
	})
	if err != nil {
		return err
	}
	defer p.Close()

	doSomeWork := pool.Func[int](p, "worker", "do_some_work")
	var answered, failed int
	var mu sync.Mutex // guards both
	var callers sync.WaitGroup
	for range calls {
		callers.Go(func() {
			_, err := doSomeWork(context.Background(), "bar")
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed++
				return
			}
			answered++
		})
	}

	// Stop lets the calls end that have been made, so it waits for that only. It
	// returns when the processes are gone and all events have been told.
	for made(p.Stats()) < calls {
		time.Sleep(time.Millisecond)
	}
	left := p.Stats()
	if err := p.Stop(context.Background()); err != nil {
		return err
	}
	callers.Wait()

	for _, pid := range slices.Sorted(maps.Keys(shifts)) {
		fmt.Fprintf(w, "process %d completed %d calls\n", pid, shifts[pid])
	}
	fmt.Fprintf(w, "stopped with %d calls under way: %d answered, %d failed\n", left.Waiting+left.Running, answered, failed)
	return nil
}

// made is how many calls have reached the pool.
func made(s pool.Stats) int { return int(s.Calls) + s.Waiting + s.Running }
