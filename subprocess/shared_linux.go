package subprocess

import (
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"

	"github.com/wasmpool/wasmpool/internal/spin"
)

// maxBells is how many wake-ups are taken at once.
const maxBells = 16

// sharedLink is the parent's end of a connection through memory. Its socket
// carries the child's first frame, and after that a byte whenever a reader has to
// be woken: so the end of the child is heard as that of any other, and a reader
// that sleeps holds no thread.
type sharedLink struct {
	*socket
	rings
	memory sharedMemory
	spin   *spin.Waiter // of the one who reads: one of the next two
	alone  *spin.Waiter
	among  *spin.Waiter
	sleeps func() // to be called before a sleep; may be nil

	expected func() bool // whether it may poll

	joined bool        // set before anything is written
	left   atomic.Bool // interrupt was called
	closed atomic.Bool

	late  int    // how many bytes were read after endRead, which had arrived before
	armed uint64 // how often the child was allowed to wake the reader
	rung  uint64 // how often it has
	bells [maxBells]byte
	ring  [1]byte
	knock func(fd uintptr)
}

// newLink is the parent's end of a connection. The memory stays the caller's.
func newLink(s *socket, memory *os.File, o Options) (link, error) {
	m, err := mapMemory(int(memory.Fd()))
	if err != nil {
		return nil, err
	}
	if !m.hasRings() {
		m.unmap()
		return s, nil
	}
	m.word(spinAt).Store(uint64(o.Spin))
	l := &sharedLink{socket: s, memory: m, expected: func() bool { return true }}
	l.alone = spin.Alone(o.Spin, giveWay)
	l.among = spin.Among(o.Spin, runtime.Gosched)
	l.spin = l.among
	l.knock = func(fd uintptr) {
		// An error means that the child is dead, or has more to read than it was sent.
		_, _ = syscall.Write(int(fd), l.ring[:])
	}
	there, back := m.rings()
	l.init(back, there, func() { _ = l.raw.Control(l.knock) }) // an error: it is closed
	return l, nil
}

func (l *sharedLink) join() bool {
	l.joined = true
	return true
}

func (l *sharedLink) pollWhile(expected func() bool) { l.expected = expected }

func (l *sharedLink) attend(sleeps func()) {
	if l.joined {
		l.spin, l.sleeps = l.alone, sleeps
	} else {
		announce(sleeps)
	}
}

func (l *sharedLink) leave() { l.spin, l.sleeps = l.among, nil }

func (l *sharedLink) Read(p []byte) (int, error) {
	if !l.joined {
		return l.socket.Read(p)
	}
	for {
		if l.left.Load() {
			return 0, errInterrupted
		}
		ended := l.ended.Load() // before: what had arrived then is read
		n, err := l.read(p)
		if ended {
			// Whoever still has the memory may go on writing.
			if l.late += n; l.late > ringHolds {
				return 0, io.EOF
			}
		}
		if n > 0 || err != nil {
			return n, violated(err)
		}
		polls := l.expected()
		if polls && l.spin.Wait(l.ready) {
			continue
		}
		if l.sleeps != nil {
			l.sleeps()
		}
		l.armed++
		if !l.from.Doze() {
			continue
		}
		n, err = l.socket.Read(l.bells[:])
		l.from.Rouse()
		if polls {
			l.spin.Woke()
		}
		l.rung += uint64(n)
		switch {
		case l.rung > l.armed:
			return 0, &violation{errors.New("woke its parent more often than that slept")}
		case err != nil && !l.from.Ready():
			return 0, err
		}
	}
}

// violated is an error of a ring, which only the other end can have brought about.
func violated(err error) error {
	if err == nil {
		return nil
	}
	return &violation{err}
}

func (l *sharedLink) offer(b *batch) (bool, error) {
	if !l.joined {
		return l.socket.offer(b)
	}
	if l.closed.Load() {
		return false, net.ErrClosed
	}
	through, err := l.fill(b)
	return through, violated(err)
}

func (l *sharedLink) push(b *batch) error {
	if !l.joined {
		return l.socket.push(b)
	}
	for {
		through, err := l.offer(b)
		if through || err != nil {
			return err
		}
		if err := l.awaitRoom(); err != nil {
			return violated(err)
		}
	}
}

func (l *sharedLink) interrupt() {
	l.left.Store(true)
	l.socket.interrupt()
}

func (l *sharedLink) resume() {
	l.left.Store(false)
	l.socket.resume()
}

func (l *sharedLink) Close() error {
	l.closed.Store(true)
	wakeOn(l.to.Full())
	return l.socket.Close()
}

func (l *sharedLink) release() { l.memory.unmap() }
