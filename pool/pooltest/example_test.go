package pooltest_test

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/wasmpool/wasmpool/pool"
	"github.com/wasmpool/wasmpool/pool/pooltest"
)

// A pool whose workers are functions of the test itself.
func Example() {
	workers := &pooltest.Launcher{
		OnCall: pooltest.Functions(map[string]func(context.Context, []json.RawMessage) (any, error){
			"greet": func(_ context.Context, args []json.RawMessage) (any, error) {
				var name string
				err := json.Unmarshal(args[0], &name)
				return "Hello, " + name + "!", err
			},
		}),
	}
	p, err := pool.New(pool.Options{Launcher: workers, Modules: map[string]pool.Module{"worker": {Bytes: []byte("any")}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer p.Close()

	greet := pool.Func[string](p, "worker", "greet")
	fmt.Println(greet(context.Background(), "world"))
	// Output: Hello, world! <nil>
}
