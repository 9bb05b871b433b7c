package subprocess

import (
	"context"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wasmpool/wasmpool/subprocess/sandbox"
)

// Local is [Start] with both ends in this process, joined by a pipe in memory:
// for tests. Everything that waits does so on channels and conditions, so a
// test may run it with the false time of testing/synctest. [Process.Kill] cuts
// the connection as the death of a process would; a handler that runs then goes
// on, with its call cancelled and nobody to hear of it.
func Local(ctx context.Context, o Options, sink Sink, h Handler) (*Process, error) {
	return local(ctx, o, sink, h, hooks{})
}

func local(ctx context.Context, o Options, sink Sink, h Handler, hk hooks) (*Process, error) {
	o = o.withDefaults()
	if err := ctx.Err(); err != nil {
		return nil, &StartError{Name: o.Name, Err: err}
	}
	here, there := newPipe()
	b := &localBody{end: there, dead: make(chan struct{}), files: make(chan *os.File, 1)}
	go serve(surroundings{ // ends with the pipe
		line:    there,
		alarm:   newTimerAlarm(),
		publish: b.last.Store,
		receive: b.take,
		exit:    b.exitNow,
		gone:    b.dead,
		hooks:   hk,
	}, h)
	return meet(ctx, o, sink, b, here)
}

// give hands over the same file: there is one process.
func (b *localBody) give(f *os.File) error {
	b.files <- f
	return nil
}

// bound does nothing: there is no process to be bounded.
func (b *localBody) bound(int64) error { return nil }

// take takes it.
func (b *localBody) take(some bool) (*os.File, error) {
	if !some {
		return nil, nil
	}
	return <-b.files, nil
}

// localBody is a child that is a few goroutines.
type localBody struct {
	end  io.Closer // the child's
	last atomic.Uint64
	dead chan struct{}
	once sync.Once
	exit Exit // set before dead is closed

	files chan *os.File // that are handed over; holds one
}

func (b *localBody) die(exit Exit) {
	b.once.Do(func() {
		b.exit = exit
		_ = b.end.Close() // cannot fail
		close(b.dead)
	})
}

// exitNow is os.Exit, but that it returns.
func (b *localBody) exitNow(code int) { b.die(Exit{Code: code}) }

func (b *localBody) pid() int { return 0 }

func (b *localBody) kill() { b.die(Exit{Code: -1, Signal: os.Kill}) }

func (b *localBody) wait() Exit {
	<-b.dead
	return b.exit
}

func (b *localBody) started() uint64 { return b.last.Load() }

func (b *localBody) memoryBytes() int64 { return 0 }

func (b *localBody) processorTime() time.Duration { return 0 }

func (b *localBody) built() sandbox.Report { return nil }
