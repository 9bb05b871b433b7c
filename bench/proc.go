package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// What the kernel says of processes. It is Linux alone that says it so; elsewhere
// the rows that ask say that they were not measured.

var pssLine = regexp.MustCompile(`(?m)^Pss:\s+(\d+) kB$`)

// pss is the proportional set size of some processes together, in bytes: the
// memory that they have for themselves, and their share of what they have with
// others.
func pss(pids []int) (bytes float64, err error) {
	for _, pid := range pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		if err != nil {
			return 0, fmt.Errorf("reading what memory a process has: %w", err)
		}
		m := pssLine.FindSubmatch(text)
		if m == nil {
			return 0, fmt.Errorf("reading what memory process %d has: its smaps_rollup has no Pss", pid)
		}
		kib, err := strconv.ParseFloat(string(m[1]), 64)
		if err != nil {
			return 0, fmt.Errorf("reading what memory process %d has: %w", pid, err)
		}
		bytes += kib * 1024
	}
	return bytes, nil
}

// processorTime is how long all threads of some processes have run, together.
// The scheduler's own count is in nanoseconds; what getrusage tells is in ticks.
func processorTime(pids []int) (time.Duration, error) {
	var sum time.Duration
	for _, pid := range pids {
		err := eachThread(pid, "schedstat", func(text string) error {
			ran, _, _ := strings.Cut(text, " ")
			ns, err := strconv.ParseInt(ran, 10, 64)
			sum += time.Duration(ns)
			return err
		})
		if err != nil {
			return 0, fmt.Errorf("reading the processor time of process %d: %w", pid, err)
		}
	}
	return sum, nil
}

// children are the processes that a process has started, and not their children.
func children(pid int) ([]int, error) {
	var pids []int
	err := eachThread(pid, "children", func(text string) error {
		for _, word := range strings.Fields(text) {
			child, err := strconv.Atoi(word)
			if err != nil {
				return err
			}
			pids = append(pids, child)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("looking for the children of process %d: %w", pid, err)
	}
	return pids, nil
}

// eachThread reads a file of each thread of a process, but of those that end
// meanwhile.
func eachThread(pid int, name string, read func(text string) error) error {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/%s", pid, name))
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return fmt.Errorf("there is no /proc/%d/task/*/%s", pid, name)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if err := read(string(text)); err != nil {
			return err
		}
	}
	return nil
}
