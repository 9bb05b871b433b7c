package guest_test

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/wasmpool/wasmpool/guest"
)

// A worker exports its functions in init. Its main is empty, and never runs.
func Example() {
	// in func init:
	guest.Export("hello", func(ctx context.Context, name string) (string, error) {
		if name == "" {
			return "", &guest.Error{Name: "NameError", Message: "a name is needed"}
		}
		guest.Log(ctx, slog.LevelInfo, "greeting", "name", name)
		return "Hello, " + name, nil
	})
	// Output:
}

// A function that computes for long asks its context now and then.
func ExampleExport_cancellation() {
	guest.Export("primes", func(ctx context.Context, limit int) (int, error) {
		found := 0
		for n := 2; n < limit; n++ {
			if n%1000 == 0 && ctx.Err() != nil {
				return 0, ctx.Err()
			}
			if prime(n) {
				found++
			}
		}
		return found, nil
	})
	// Output:
}

func prime(n int) bool {
	for d := 2; d*d <= n; d++ {
		if n%d == 0 {
			return false
		}
	}
	return true
}

// A host function is there if the user of the pool grants it.
func ExampleHost() {
	guest.Export("age", func(ctx context.Context, user string) (int, error) {
		var born time.Time
		if err := guest.Host(ctx, "birthday", user, &born); err != nil {
			return 0, fmt.Errorf("age of %s: %w", user, err)
		}
		return time.Now().Year() - born.Year(), nil
	})
	// Output:
}
