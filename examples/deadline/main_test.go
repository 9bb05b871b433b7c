package main

import (
	"fmt"
	"os"
)

func Example() {
	if err := run(os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// loop: pool: call "loop": run time exceeds its limit of 100ms
	// it is a deadline: true
	// the next call: 5
	// the process of the first: signal: killed (the call did not end when its caller gave up)
}
