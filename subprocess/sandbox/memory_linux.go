package sandbox

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Addresses is how many bytes of addresses a process uses now, to add a budget
// to: what the Go runtime reserves at its start differs from machine to machine.
func Addresses(pid int) (int64, error) {
	b, err := os.ReadFile(proc(pid, "statm"))
	if err != nil {
		return 0, err
	}
	field, _, _ := bytes.Cut(b, []byte(" "))
	pages, err := strconv.ParseInt(string(field), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("sandbox: statm of process %d: %w", pid, err)
	}
	return pages * int64(os.Getpagesize()), nil
}

// LimitAddresses bounds the addresses that this process may use, in bytes, for
// ever. What asks for more fails, whoever asks. A worker does it before it reads
// a byte of a module; the parent may lack the privilege to do it from outside.
func (w *Worker) LimitAddresses(most int64) error {
	if !w.plan.Layers.Has(Memory) {
		return nil
	}
	limit := unix.Rlimit{Cur: uint64(most), Max: uint64(most)}
	if err := unix.Prlimit(0, unix.RLIMIT_AS, &limit, nil); err != nil {
		return fmt.Errorf("sandbox: limit addresses to %d bytes: %w", most, err)
	}
	return nil
}

// Limited says whether the addresses of a worker are bounded, by the kernel's
// word.
func (w *Witness) Limited(most int64) error {
	got, err := hardLimit(w.pid, "Max address space")
	if err == nil && got > uint64(most) {
		err = fmt.Errorf("they are limited to %d, want %d", got, most)
	}
	if err != nil {
		return fmt.Errorf("sandbox: addresses of process %d: %w", w.pid, err)
	}
	return nil
}

// hardLimit reads a hard limit of a process, by the name that /proc gives it.
func hardLimit(pid int, name string) (uint64, error) {
	text, err := os.ReadFile(proc(pid, "limits"))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		rest, ok := strings.CutPrefix(line, name)
		if !ok {
			continue
		}
		fields := strings.Fields(rest)
		if len(fields) < 2 {
			break
		}
		if fields[1] == "unlimited" {
			return unix.RLIM_INFINITY, nil
		}
		return strconv.ParseUint(fields[1], 10, 64)
	}
	return 0, fmt.Errorf("/proc tells no limit %q", name)
}
