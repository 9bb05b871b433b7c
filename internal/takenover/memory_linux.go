package takenover

import (
	"errors"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/wasmpool/wasmpool/internal/wire"
)

// shared is the descriptor of the memory that the parent shares, until the library
// has it.
const shared = 4

// pageBytes is what lies before the rings.
const pageBytes = 4096

// Where the words of a ring are.
const (
	tailAt   = 0
	fullAt   = 128
	headAt   = 256
	asleepAt = 384
)

// memory is that memory, mapped once more; nil when there are no rings in it.
var memory []byte

// takeMemory maps it while the descriptor is there.
func takeMemory() {
	var st unix.Stat_t
	if unix.Fstat(shared, &st) != nil || st.Size <= pageBytes {
		return
	}
	memory, _ = unix.Mmap(shared, 0, int(st.Size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
}

// there and back are the rings towards this process, and from it.
func there() []byte { return memory[pageBytes:][:(len(memory)-pageBytes)/2] }
func back() []byte  { return memory[pageBytes:][(len(memory)-pageBytes)/2:] }

func position(ring []byte, at int) *atomic.Uint64 { return (*atomic.Uint64)(unsafe.Pointer(&ring[at])) }

func flag(ring []byte, at int) *atomic.Uint32 { return (*atomic.Uint32)(unsafe.Pointer(&ring[at])) }

// wake wakes the parent, if that sleeps.
func wake() {
	if flag(back(), asleepAt).CompareAndSwap(1, 0) {
		_, _ = unix.Write(parent, []byte{0})
	}
}

// scribble puts bytes into the ring past the library, and waits until the parent
// has read them.
func scribble(b []byte) error {
	tail, data := position(back(), tailAt), back()[wire.RingBytes(0):]
	at := tail.Load()
	for i, c := range b {
		data[(at+uint64(i))%uint64(len(data))] = c
	}
	tail.Store(at + uint64(len(b)))
	wake()
	for range 1000 {
		if position(back(), headAt).Load() == at+uint64(len(b)) {
			return nil
		}
		time.Sleep(time.Millisecond)
	}
	return errors.New("the parent does not read")
}

// These are about the rings themselves.
var _ = add(map[string]func([]string) (string, error){
	"a tail too far": func([]string) (string, error) {
		tail := position(back(), tailAt)
		tail.Store(tail.Load() + uint64(len(memory)))
		wake()
		time.Sleep(time.Second)
		return "", nil
	},
	"a tail that goes back": func([]string) (string, error) {
		tail := position(back(), tailAt)
		tail.Store(tail.Load() - 1)
		wake()
		time.Sleep(time.Second)
		return "", nil
	},
	"a head too far": func([]string) (string, error) {
		go func() { // against the library, which puts it right with all that it reads
			head := position(there(), headAt)
			for {
				head.Store(1 << 40)
			}
		}()
		return "", nil
	},
	"wake-ups without end": func([]string) (string, error) {
		for range 100_000 {
			if _, err := unix.Write(parent, []byte{0}); err != nil && !errors.Is(err, unix.EAGAIN) {
				return "", err
			}
		}
		return "", nil
	},
	// Takes a parent that sleeps for want of room to where nobody wakes it.
	"a parent led astray": func([]string) (string, error) {
		full, elsewhere := flag(there(), fullAt), flag(there(), fullAt+4)
		for {
			_, _, _ = unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(full)), futexRequeue, 0, 1000, uintptr(unsafe.Pointer(elsewhere)), 0)
		}
	},
	"scribbles everywhere": func([]string) (string, error) {
		for seed := uint64(1); ; {
			for i := pageBytes; i < len(memory); i += 8 {
				seed = seed*6364136223846793005 + 1442695040888963407
				position(memory, i).Store(seed >> (seed % 64))
			}
			wake()
		}
	},
})

const futexRequeue = 3 // of futex(2)
