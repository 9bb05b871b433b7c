package isolate_test

import (
	"context"
	"fmt"
	"log"

	"github.com/wasmpool/wasmpool/isolate"
	"github.com/wasmpool/wasmpool/isolate/wazero"
	"github.com/wasmpool/wasmpool/testdata/wasm"
)

// A worker, without a process around it.
func Example() {
	x := isolate.New(wazero.New(), nil)
	defer x.Close()
	if _, err := x.Load(context.Background(), isolate.Settings{Name: "echo.wasm"}, wasm.Module("echo")); err != nil {
		log.Fatal(err)
	}
	for _, function := range []string{"greet", "gret", "trap"} {
		code, payload := x.Call(0, &isolate.Call{
			ID: 1, Attempt: 1, DeadlineMS: -1, // no deadline
			Function: function, Arguments: []byte(`["world"]`),
		})
		fmt.Printf("%v: %.70s\n", code, payload)
	}
	// Output:
	// returned: "Hello, world!"
	// not found: {"message":"module \"echo.wasm\" has no function \"gret\"; did you mea
	// trapped: {"message":"unreachable","name":"Trap","stack":"worker_trap() i32"}
}
