package pool_test

import (
	"context"
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wasmpool/wasmpool/pool"
	"github.com/wasmpool/wasmpool/pool/pooltest"
)

// slowCompiler is a launcher whose compilations never end by themselves.
type slowCompiler struct {
	pooltest.Launcher
	running, begun atomic.Int32
}

func (l *slowCompiler) Engine() string { return "v" }

func (l *slowCompiler) Compile(ctx context.Context, _ *pool.Assignment, _ *os.File) error {
	l.running.Add(1)
	l.begun.Add(1)
	defer l.running.Add(-1)
	<-ctx.Done()
	return ctx.Err()
}

// compilingPool is a pool with such a launcher.
func compilingPool(t *testing.T, o pool.Options) (*pool.Pool, *slowCompiler) {
	t.Helper()
	l := &slowCompiler{}
	o.Launcher, o.Modules, o.CacheDir, o.Logger = l, named("a", "b"), cacheDir(t), quiet
	p, err := pool.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return p, l
}

func TestTimersWorkInAPoolThatWasStartedAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := &pooltest.Launcher{OnCall: func(ctx context.Context, c *pooltest.Call) (any, error) {
			if c.Function == "long" {
				<-ctx.Done()
			}
			return 1, nil
		}}
		p, err := pool.New(pool.Options{Launcher: l, Modules: named("a"), Logger: quiet, IdleTimeout: 10 * time.Second, CallTimeout: 5 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Call(t.Context(), "a", "f"); err != nil {
			t.Fatal(err)
		}
		pass(2 * time.Second) // idle: a timer is waiting
		if err := p.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := p.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		if _, err := p.Call(t.Context(), "a", "long"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("long() = %v, want a deadline exceeded", err)
		}
		if took := time.Since(begun); took != 5*time.Second {
			t.Errorf("long() took %v, want CallTimeout, 5s", took)
		}
		pass(11 * time.Second)
		if n := p.ProcessCount(); n != 0 {
			t.Errorf("%d processes are left after IdleTimeout", n)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestStopsAndStartsAtOnceLeaveAPoolThatWorks(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p, err := pool.New(pool.Options{Launcher: &pooltest.Launcher{}, Modules: named("a"), Logger: quiet, CallTimeout: 5 * time.Second, Min: 1})
		if err != nil {
			t.Fatal(err)
		}
		for range 200 {
			var all sync.WaitGroup
			for range 4 {
				all.Go(func() {
					if err := p.Stop(t.Context()); err != nil {
						t.Errorf("Stop: %v", err)
					}
				})
			}
			all.Go(func() {
				if err := p.Start(t.Context()); err != nil && !errors.Is(err, pool.ErrStopped) {
					t.Errorf("Start: %v", err)
				}
			})
			all.Wait() // a bubble whose goroutines all wait for ever fails
		}
		if err := p.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Call(t.Context(), "a", "f"); err != nil {
			t.Errorf("a call after all this: %v", err)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestStopDoesNotWaitForACompilation(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p, l := compilingPool(t, pool.Options{})
		call := make(chan error, 1)
		go func() { _, err := p.Call(t.Context(), "a", "f"); call <- err }()
		pass(time.Millisecond)
		begun := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := p.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Stop = %v, want that a call was still waiting", err)
		}
		if took := time.Since(begun); took != time.Second {
			t.Errorf("Stop took %v, want 1s", took)
		}
		if n := l.running.Load(); n != 0 {
			t.Errorf("%d compilations run on", n)
		}
		if err := <-call; !errors.Is(err, pool.ErrStopped) {
			t.Errorf("the call = %v, want ErrStopped", err)
		}
	})
}

func TestStartLeavesWithItsContextWhileItCompiles(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p, l := compilingPool(t, pool.Options{Manual: true, Preload: []string{"a"}})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begun := time.Now()
		if err := p.Start(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Start = %v, want the context's error", err)
		}
		if took := time.Since(begun); took != time.Second || l.running.Load() != 0 || !p.IsStopped() {
			t.Errorf("Start took %v, %d compilations run on, stopped %v; want 1s, 0 and true", took, l.running.Load(), p.IsStopped())
		}
	})
}

func TestStopEndsAStartThatCompiles(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p, l := compilingPool(t, pool.Options{Manual: true, Preload: []string{"a"}})
		start := make(chan error, 1)
		go func() { start <- p.Start(t.Context()) }()
		pass(time.Millisecond)
		if p.IsStarted() {
			t.Error("the pool has started before its modules are compiled")
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if err := <-start; !errors.Is(err, pool.ErrStopped) {
			t.Errorf("Start = %v, want ErrStopped", err)
		}
		if n := l.running.Load(); n != 0 {
			t.Errorf("%d compilations run on", n)
		}
	})
}

func TestAModuleThatDoesNotCompileIsCompiledOnceForAllWhoWait(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p, l := compilingPool(t, pool.Options{Max: 8, Limits: pool.Limits{CompileTime: 10 * time.Second}})
		begun := time.Now()
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				var notReady *pool.NotReadyError
				if _, err := p.Call(t.Context(), "a", "f"); !errors.As(err, &notReady) {
					t.Errorf("the call = %v, want that no worker became ready", err)
				}
			})
		}
		all.Wait()
		if took := time.Since(begun); took != 10*time.Second {
			t.Errorf("the calls failed after %v, want CompileTime, 10s", took)
		}
		if n := l.begun.Load(); n != 1 {
			t.Errorf("compiled %d times, want once", n)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestStopLeavesAnEventFunctionThatDoesNotReturn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		stuck := make(chan struct{})
		p, err := pool.New(pool.Options{
			Launcher: &pooltest.Launcher{}, Modules: named("a"), Logger: quiet,
			Events: pool.Events{WorkerStarted: func(pool.WorkerInfo) { <-stuck }},
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Call(t.Context(), "a", "f"); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		if err := p.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Stop = %v, want the context's error", err)
		}
		if took := time.Since(begun); took != 4*time.Second {
			t.Errorf("Stop took %v, want its context, 3s, and a second", took)
		}
		close(stuck)
		if err := p.Stop(t.Context()); err != nil {
			t.Errorf("Stop again: %v", err)
		}
	})
}
