package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var (
	line    = regexp.MustCompile(`(?m)^call +\d+: \[(\d+)\] work "bar" completed in \d ms$`)
	shift   = regexp.MustCompile(`(?m)^process (\d+) completed (\d+) calls$`)
	outcome = regexp.MustCompile(`(?m)^stopped with (\d+) calls under way: (\d+) answered, (\d+) failed$`)
)

func TestAllCallsAnswerThoughThePoolIsStopped(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := run(&out); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	if n := len(line.FindAllString(text, -1)); n != calls/every {
		t.Errorf("%d lines tell of a call, want %d", n, calls/every)
	}
	total, shifts := 0, shift.FindAllStringSubmatch(text, -1)
	for _, m := range shifts {
		n, err := strconv.Atoi(m[2])
		if err != nil || n < calls/20 {
			t.Errorf("%q: want a share of the calls", m[0])
		}
		total += n
	}
	if total != calls || len(shifts) != 5 {
		t.Errorf("%d calls by %d processes, want %d by 5", total, len(shifts), calls)
	}
	m := outcome.FindStringSubmatch(text)
	if m == nil || m[1] == "0" || m[2] != strconv.Itoa(calls) || m[3] != "0" {
		t.Errorf("it ends with %q, want a stop with calls under way, all of them answered", text[max(0, len(text)-100):])
	}
}

func TestTheWorkerIsBuiltFromItsSource(t *testing.T) {
	t.Parallel()
	sums, err := os.ReadFile("worker/SHA256SUMS")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"worker.c", "worker.wasm"} {
		b, err := os.ReadFile("worker/" + file)
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("%x  %s\n", sha256.Sum256(b), file); !strings.Contains(string(sums), want) {
			t.Errorf("%s has changed since both were built: run worker/build; SHA256SUMS lacks %q", file, want)
		}
	}
}
