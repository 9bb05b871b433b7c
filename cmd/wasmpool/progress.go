package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/wasmpool/wasmpool/pool"
)

// patience is for how long nobody is told of work that goes on, unless somebody
// watches. A guess: what a person takes for a pause.
const patience = 300 * time.Millisecond

// progress says what takes long. Its methods are for several goroutines.
type progress struct {
	program *program

	mu      sync.Mutex
	waiting map[string]*time.Timer // by digest
	ended   bool
}

func newProgress(p *program) *progress {
	return &progress{program: p, waiting: make(map[string]*time.Timer)}
}

// compile is told that a compilation begins, or that it has ended.
func (g *progress) compile(info pool.CompileInfo) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if timer := g.waiting[info.SHA256]; timer != nil {
		timer.Stop()
		delete(g.waiting, info.SHA256)
	}
	if info.Took > 0 || info.Err != nil || g.ended {
		return
	}
	say := func() {
		fmt.Fprintf(g.program.stderr, "compiling %s (%s) …\n", visible(info.Module), size(int64(info.Bytes)))
	}
	if g.program.eager {
		say()
		return
	}
	g.waiting[info.SHA256] = time.AfterFunc(patience, say)
}

// end lets nothing be said any more.
func (g *progress) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ended = true
	for _, timer := range g.waiting {
		timer.Stop()
	}
}

// serialized lets several goroutines write, each call of Write as a whole.
func serialized(w io.Writer) io.Writer { return &serialWriter{w: w} }

type serialWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (s *serialWriter) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w.Write(b)
}

// log shows a line that a worker wrote, with where it comes from.
func (p *program) log(r pool.LogRecord) {
	source := r.Source
	if source == "guest" {
		source = r.Level.String()
	}
	fmt.Fprintf(p.stderr, "[%d %s] %s\n", r.PID, source, visible(r.Message))
}
