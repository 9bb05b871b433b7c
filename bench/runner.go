package main

import "context"

// runner is a program that workers run.
type runner struct {
	name string
	path func(context.Context) (string, error) // empty: this one
}

// runners are the programs to compare: the smallest there is, and this one, which
// links gRPC and more, as many a program does that has a pool.
func runners(b *builds) []runner {
	return []runner{
		{"wasmpool-runner", b.runner},
		{"this program", func(context.Context) (string, error) { return "", nil }},
	}
}
