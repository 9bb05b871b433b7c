package subprocess

import (
	"errors"
	"io"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wasmpool/wasmpool/internal/spin"
)

// childShared is the child's end of a connection through memory.
type childShared struct {
	*childSocket
	rings
	spin   *spin.Waiter
	joined bool // its first frame is out
	bells  [maxBells]byte
	ring   [1]byte
}

// newChildLine is the child's end of a connection.
func newChildLine(s *childSocket, m sharedMemory) childLine {
	if !m.hasRings() {
		return s
	}
	l := &childShared{childSocket: s, spin: spin.Alone(time.Duration(m.word(spinAt).Load()), giveWay)}
	there, back := m.rings()
	l.init(there, back, func() {
		_, _ = syscall.SendmsgN(l.fd, l.ring[:], nil, nil, syscall.MSG_DONTWAIT) // an error: nobody is there
	})
	return l
}

// giveWay lets another thread use the processor.
func giveWay() { _, _, _ = unix.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0) }

func (l *childShared) join() bool {
	l.joined = true
	return true
}

func (l *childShared) canJoin() bool { return true }

func (l *childShared) Read(p []byte) (int, error) {
	for {
		if n, err := l.read(p); n > 0 || err != nil {
			return n, err
		}
		if l.spin.Wait(l.ready) {
			continue
		}
		if !l.from.Doze() {
			continue
		}
		_, err := l.childSocket.Read(l.bells[:])
		l.from.Rouse()
		l.spin.Woke()
		if err != nil && (!errors.Is(err, io.EOF) || !l.from.Ready()) {
			return 0, err
		}
	}
}

func (l *childShared) offer(b *batch) (bool, error) {
	if !l.joined {
		return l.childSocket.offer(b)
	}
	return l.fill(b)
}

func (l *childShared) push(b *batch) error {
	if !l.joined {
		return l.childSocket.push(b)
	}
	for {
		through, err := l.fill(b)
		if through || err != nil {
			return err
		}
		if err := l.awaitRoom(); err != nil {
			return err
		}
	}
}
