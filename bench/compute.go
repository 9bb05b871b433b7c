package main

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tetratelabs/wazero"

	"github.com/wasmpool/wasmpool/pool"
)

// far is a deadline that no call reaches: what counts is that there is one.
const far = time.Minute

// limited gives a call a deadline.
func limited(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, far)
}

// allComputeRows are the kinds of computing: calls, loops over memory, and JSON
// in the guest that has Go's runtime. Each takes from one to ten milliseconds.
func allComputeRows(g guest) []row {
	d := document()
	return slices.Concat(
		computeRows("fib(27)", job{cGuest, "fib", []byte(`[27]`), len(`196418`)}),
		computeRows("sieve of 300,000", job{cGuest, "sieve", []byte(`[300000]`), len(`25997`)}),
		computeRows("JSON of "+whole(float64(len(d)))+" B decoded and encoded, Go guest", recodeJob(g, d)),
	)
}

// computeRows are a guest that computes for a millisecond and more, while nearly
// nothing passes: in the pool, which can end it because it is a process, and in
// the engine, which for that has to look in every loop and every call.
func computeRows(name string, j job) []row {
	w := workload{name: name, callers: 1, table: besideWazero}
	interruptible := wazero.NewRuntimeConfigCompiler().WithCloseOnContextDone(true)
	return []row{
		{workload: w, what: "wazero, in process", base: true, start: func(ctx context.Context, _ workload) (*target, error) {
			return startWazero(ctx, wazero.NewRuntimeConfigCompiler(), j, plain)
		}},
		{workload: w, what: "wazero, in process, WithCloseOnContextDone", start: func(ctx context.Context, _ workload) (*target, error) {
			return startWazero(ctx, interruptible, j, limited)
		}},
		poolRow(w, "wasmpool, Options.CallTimeout", pool.Options{CallTimeout: far}, j, raw),
		poolRow(w, "wasmpool, context.WithTimeout", pool.Options{}, j, func(p *pool.Pool, j job) func(context.Context) error {
			call := raw(p, j)
			return func(ctx context.Context) error {
				ctx, cancel := limited(ctx)
				defer cancel()
				return call(ctx)
			}
		}),
	}
}

// document is JSON of some kilobytes.
func document() []byte {
	var b bytes.Buffer
	for i := range 40 {
		fmt.Fprintf(&b, `,{"name":"Person %d","age":%d,"weight":%d.5,"active":true,"tags":["one","two","three"],"address":{"city":"Town %d","street":"%d, Long Street"}}`, i, i, i, i, i)
	}
	b.WriteByte(']')
	b.Bytes()[0] = '['
	return b.Bytes()
}

// recodeJob has a document decoded into Go values, and encoded again.
func recodeJob(g guest, document []byte) job {
	return job{g, "recode", slices.Concat([]byte("["), document, []byte("]")), len(document)}
}
