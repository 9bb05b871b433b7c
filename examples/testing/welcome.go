// Package welcome is somebody's code that uses a pool; its tests show how to
// test such code without processes.
package welcome

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wasmpool/wasmpool/pool"
)

// patience is how long a greeting may take.
const patience = 2 * time.Second

// Greeter greets with a worker.
type Greeter struct {
	greet func(ctx context.Context, args ...any) (string, error)
}

// New returns a Greeter that calls a module of a pool.
func New(p *pool.Pool, module string) *Greeter {
	return &Greeter{greet: pool.Func[string](p, module, "greet", pool.Timeout(patience))}
}

// Greet returns a greeting: a plain one when the worker takes too long.
func (g *Greeter) Greet(ctx context.Context, name string) (string, error) {
	s, err := g.greet(ctx, name)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return "Hello.", nil
	}
	if err != nil {
		return "", fmt.Errorf("welcome: greeting %q: %w", name, err)
	}
	return s, nil
}
