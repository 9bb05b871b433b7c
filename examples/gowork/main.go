// Command gowork calls a worker that is written in Go. Its argument is the
// worker as a module, which the README says how to build.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/wasmpool/wasmpool/pool"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: gowork worker.wasm")
	}
	if err := run(os.Stdout, os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

// run counts the words of a sentence with a worker.
func run(w io.Writer, worker string) error {
	p, err := pool.New(pool.Options{})
	if err != nil {
		return err
	}
	defer p.Close()
	count := pool.Func[int](p, worker, "count")
	n, err := count(context.Background(), "every word counts")
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%d words\n", n)
	return nil
}
