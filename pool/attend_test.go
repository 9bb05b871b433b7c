package pool_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmpool/wasmpool/pool"
	"github.com/wasmpool/wasmpool/pool/pooltest"
	"github.com/wasmpool/wasmpool/subprocess"
)

// attending is a worker that keeps a caller who attends until its call is
// cancelled.
type attending struct {
	pool.Worker
	cancelled chan struct{}
}

func (w *attending) Attend(_ uint64, sleeps func()) {
	if sleeps != nil {
		sleeps()
	}
	<-w.cancelled
}

func (w *attending) Unattended() {}

func (w *attending) Cancel(seq uint64) {
	close(w.cancelled)
	w.Worker.Cancel(seq)
}

type attendingLauncher struct{ pooltest.Launcher }

func (l *attendingLauncher) Launch(ctx context.Context, what pool.Launch, sink subprocess.Sink) (pool.Worker, error) {
	w, err := l.Launcher.Launch(ctx, what, sink)
	return &attending{w, make(chan struct{})}, err
}

// TestACallerWhoReadsItsOwnReplyLeavesWithItsContext holds that reading one's
// own reply does not keep a caller from its deadline.
func TestACallerWhoReadsItsOwnReplyLeavesWithItsContext(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name    string
		context func(context.Context) (context.Context, context.CancelFunc)
	}{
		{"its context's", func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 5*time.Second)
		}},
		{"its call's", func(ctx context.Context) (context.Context, context.CancelFunc) {
			return pool.WithCallOptions(ctx, pool.Timeout(5*time.Second)), func() {}
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				workers := &attendingLauncher{pooltest.Launcher{
					OnCall: func(ctx context.Context, _ *pooltest.Call) (any, error) {
						<-ctx.Done()
						return nil, ctx.Err()
					},
				}}
				p, err := pool.New(pool.Options{
					Min: 1, Max: 1, Launcher: workers, Preload: []string{"m"},
					Modules: map[string]pool.Module{"m": {Bytes: []byte("any")}},
				})
				if err != nil {
					t.Fatal(err)
				}
				defer p.Close()
				ctx, cancel := row.context(context.Background())
				defer cancel()
				begun := time.Now()
				if _, err := p.Call(ctx, "m", "f"); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("Call = %v, want a deadline exceeded", err)
				}
				if took := time.Since(begun); took != 5*time.Second {
					t.Errorf("it returned after %v, want 5s", took)
				}
			})
		})
	}
}
