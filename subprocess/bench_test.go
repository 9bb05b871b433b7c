//go:build linux || darwin

package subprocess

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// BenchmarkCall asks what a call of a child costs, and what of that is the
// operating system's: a bare exchange of as many bytes over the same kind of
// connection with another process.
func BenchmarkCall(b *testing.B) {
	for _, callers := range []int{1, 64} {
		for _, payload := range []int{32, 4096, 65536} {
			b.Run(fmt.Sprintf("transport=process/callers=%d/payload=%d", callers, payload), func(b *testing.B) {
				benchmarkProcess(b, callers, payload)
			})
			b.Run(fmt.Sprintf("transport=socketpair/callers=%d/payload=%d", callers, payload), func(b *testing.B) {
				benchmarkSocketPair(b, callers, payload)
			})
		}
	}
}

// desk is a sink for many callers: it wakes the one whose reply has come.
type desk struct {
	*recorder
	waits [1024]chan int // by the low bits of the number
}

func (d *desk) Replies(replies []Reply) {
	for _, r := range replies {
		d.waits[r.Seq%uint64(len(d.waits))] <- len(r.Payload)
	}
}

func benchmarkProcess(b *testing.B, callers, payload int) {
	d := &desk{recorder: newRecorder()}
	p, err := Start(b.Context(), options("worker"), d)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := p.Load(b.Context(), &Module{Slots: 1}); err != nil {
		b.Fatal(err)
	}
	for i := range d.waits {
		d.waits[i] = make(chan int, 1)
	}
	body := NewBody()
	body.Bytes = make([]byte, payload)
	var mu sync.Mutex // the pool's
	var seq uint64
	calls := make([]Call, callers)
	concurrently(b, callers, payload, func(caller int) {
		c := &calls[caller]
		*c = Call{ID: 1, Attempt: 1, TimeLeft: -1, Function: "echo", Body: body}
		mu.Lock()
		seq++
		c.Seq = seq
		p.Queue(c)
		mu.Unlock()
		p.Flush()
		p.Attend(c.Seq, nil)
		if n := <-d.waits[c.Seq%uint64(len(d.waits))]; n != payload {
			b.Errorf("reply of %d bytes, want %d", n, payload)
		}
	})
	p.Kill(nil)
	<-p.Done()
}

// concurrently runs b.N calls in so many goroutines.
func concurrently(b *testing.B, callers, payload int, call func(caller int)) {
	b.SetBytes(int64(payload))
	b.ReportAllocs()
	var left atomic.Int64
	left.Store(int64(b.N))
	var all sync.WaitGroup
	b.ResetTimer()
	for caller := range callers {
		all.Go(func() {
			for left.Add(-1) >= 0 {
				call(caller)
			}
		})
	}
	all.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
}

// pingSize is the head of a bare message: its length, and who asks.
const pingSize = 8

var _ = as(map[string]func(){
	"bare": func() { // sends back whatever comes
		_ = syscall.SetNonblock(socketFD, true) // as any Go program reads a socket
		f := os.NewFile(socketFD, "socket")
		done := make(chan struct{})
		go func() { // not the goroutine of init, which is locked to a thread
			defer close(done)
			_, _ = io.CopyBuffer(struct{ io.Writer }{f}, struct{ io.Reader }{f}, make([]byte, 128<<10))
		}()
		<-done
	},
})

func benchmarkSocketPair(b *testing.B, callers, payload int) {
	child, l, err := spawn(Options{Name: "bare", Parallelism: 2})
	if err != nil {
		b.Fatal(err)
	}
	f := l.(*socket).file
	defer func() {
		child.kill()
		child.wait()
		l.Close()
	}()
	if callers == 1 {
		message := make([]byte, pingSize+payload)
		concurrently(b, 1, payload, func(int) {
			if _, err := f.Write(message); err != nil {
				b.Fatal(err)
			}
			if _, err := io.ReadFull(f, message); err != nil {
				b.Fatal(err)
			}
		})
		return
	}
	waits := make([]chan struct{}, callers)
	messages := make([][]byte, callers)
	for i := range waits {
		waits[i] = make(chan struct{}, 1)
		messages[i] = make([]byte, pingSize+payload)
		binary.LittleEndian.PutUint32(messages[i][4:], uint32(i))
	}
	go func() { // ends with the connection
		in := make([]byte, 256<<10)
		held := 0
		for {
			n, err := f.Read(in[held:])
			if err != nil {
				return
			}
			held += n
			at := 0
			for ; held-at >= pingSize+payload; at += pingSize + payload {
				waits[binary.LittleEndian.Uint32(in[at+4:])] <- struct{}{}
			}
			held = copy(in, in[at:held])
		}
	}()
	concurrently(b, callers, payload, func(caller int) {
		if _, err := f.Write(messages[caller]); err != nil {
			b.Error(err)
		}
		<-waits[caller]
	})
}
