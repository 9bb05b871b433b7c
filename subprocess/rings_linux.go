package subprocess

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wasmpool/wasmpool/internal/wire"
)

const (
	// publishBytes is how much is written at most before the other end sees it: the
	// two ends then copy different parts of a large payload at once.
	publishBytes = 16 << 10

	// roomWait bounds one sleep for room: the other end may never wake this one, or
	// see to it that nobody can.
	roomWait = 50 * time.Millisecond

	// falseWait is how long a writer that was woken for nothing waits. A guess: only
	// a child that means harm does that.
	falseWait = time.Millisecond
)

// rings are one end's of the two rings: what both ends do alike. One goroutine
// may read while another writes.
type rings struct {
	from  *wire.Consumer
	to    *wire.Producer
	rouse func() // wakes the reader at the other end

	ready func() bool
	put   func(pieces [][]byte) (int, error)
	vec   [vectors][]byte // the one who writes
}

// init sets the rings up where they stay.
func (r *rings) init(in, out []byte, rouse func()) {
	r.from, r.to, r.rouse = wire.NewConsumer(in), wire.NewProducer(out), rouse
	r.ready, r.put = r.from.Ready, r.write
}

// read copies what has arrived, and wakes the other end if that waits for room.
func (r *rings) read(p []byte) (int, error) {
	n, wake, err := r.from.Read(p)
	if wake {
		wakeOn(r.from.Full())
	}
	return n, err
}

// fill writes what there is room for, and reports whether that was all.
func (r *rings) fill(b *batch) (through bool, err error) { return b.writeTo(r.vec[:0], r.put) }

// write copies what there is room for, and returns how much that was.
func (r *rings) write(pieces [][]byte) (n int, err error) {
	seen := 0
	for _, piece := range pieces {
		for len(piece) > 0 {
			k, err := r.to.Write(piece[:min(len(piece), publishBytes)])
			if err != nil {
				return n, err
			}
			if k == 0 {
				break
			}
			n, piece = n+k, piece[k:]
			if n-seen >= publishBytes {
				r.publish()
				seen = n
			}
		}
		if len(piece) > 0 {
			break
		}
	}
	if n > seen {
		r.publish()
	}
	if n == 0 {
		return 0, syscall.EAGAIN
	}
	return n, nil
}

func (r *rings) publish() {
	if r.to.Publish() {
		r.rouse()
	}
}

// awaitRoom blocks until the other end has read something, or for a while.
func (r *rings) awaitRoom() error {
	sleep, err := r.to.Starve()
	if !sleep || err != nil {
		return err
	}
	sleepOn(r.to.Full(), roomWait)
	sleep, err = r.to.Starve()
	if sleep {
		// In the kernel: in a child, Go's timers may stand still beside a guest.
		wait := unix.NsecToTimespec(int64(falseWait))
		_ = unix.Nanosleep(&wait, nil) // interrupted: then it was shorter
	}
	return err
}
