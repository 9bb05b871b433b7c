// Command recycle replaces all workers of a busy pool.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"
	"sync"

	"github.com/wasmpool/wasmpool/pool"
	"github.com/wasmpool/wasmpool/testdata/wasm"
)

func main() {
	if err := run(os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// run reloads a pool while others call, and writes about it.
func run(w io.Writer) error {
	p, err := pool.New(pool.Options{
		Min: 2, Max: 2, Env: map[string]string{"VERSION": "1"},
		Modules: map[string]pool.Module{"worker": {Bytes: wasm.Module("echo")}},
		Logger:  slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	defer p.Close()
	version := pool.Func[string](p, "worker", "env") // returns a variable of the worker's environment

	// Eight callers call without a pause, from before the reload until after it.
	ctx := context.Background()
	var callers sync.WaitGroup
	over := make(chan struct{})
	busy := make(chan struct{}, 8)
	failures := make(chan error, 8)
	for range cap(failures) {
		callers.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-over:
					return
				default:
				}
				if _, err := version(ctx, "VERSION"); err != nil {
					failures <- err
					return
				}
				if n == 0 {
					busy <- struct{}{}
				}
			}
		})
	}
	for range cap(busy) {
		select {
		case <-busy:
		case err := <-failures:
			return err
		}
	}

	before, err := version(ctx, "VERSION")
	if err != nil {
		return err
	}
	if err := p.SetEnv(map[string]string{"VERSION": "2"}); err != nil {
		return err
	}
	if err := p.Recycle(ctx); err != nil {
		return err
	}
	after, err := version(ctx, "VERSION")
	if err != nil {
		return err
	}
	close(over)
	callers.Wait()
	fmt.Fprintf(w, "before: version %s\nafter: version %s\nfailed calls: %d\n", before, after, len(failures))
	return nil
}
