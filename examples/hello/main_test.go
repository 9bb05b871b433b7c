package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// The program names its module from the root of the repository.
func TestMain(m *testing.M) {
	if err := os.Chdir("../.."); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func Example() {
	main()
	// Output: Hello, world! <nil>
}

// quoted fails unless a document holds a file, from its package clause on, as a
// block of Go.
func quoted(t *testing.T, document, file string) {
	t.Helper()
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, code, _ := strings.Cut("\n"+string(program), "\npackage ")
	if block := "```go\npackage " + code + "```\n"; !strings.Contains(string(text), block) {
		t.Errorf("%s does not show %s as it is; want the block\n%s", document, file, block)
	}
}

func TestReadmeShowsProgramsThatAreRun(t *testing.T) {
	t.Parallel()
	quoted(t, "README.md", "examples/hello/main.go")
	quoted(t, "README.md", "examples/gowork/worker/main.go")
	quoted(t, "examples/gowork/README.md", "examples/gowork/worker/main.go")
}
