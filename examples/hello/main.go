// Command hello is the smallest program that uses a pool.
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/wasmpool/wasmpool/pool"
)

func main() {
	p, err := pool.New(pool.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()

	greet := pool.Func[string](p, "testdata/wasm/echo.wasm", "greet")
	fmt.Println(greet(context.Background(), "world")) // Hello, world! <nil>
}
