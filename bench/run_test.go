package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

// testRow is a row whose calls do something.
func testRow(what string, callers int, call func(context.Context) error, closed *bool) row {
	return row{workload: workload{name: "test", callers: callers, table: besideNothing}, what: what, start: func(context.Context, workload) (*target, error) {
		return &target{measure: repeat(callers, call), close: func() error { *closed = true; return nil }}, nil
	}}
}

func TestARowThatFailsSaysSoAndTheOthersGoOn(t *testing.T) {
	t.Parallel()
	broken := errors.New("it broke")
	var first, second bool
	rows := []row{
		testRow("breaks", 3, func(context.Context) error { return broken }, &first),
		testRow("works", 3, func(context.Context) error { return nil }, &second),
		{workload: workload{table: besideNothing}, what: "does not start", start: func(context.Context, workload) (*target, error) { return nil, broken }},
	}
	results := measureAll(t.Context(), rows, 5*time.Millisecond, io.Discard)
	if !errors.Is(results[0].err, broken) || !errors.Is(results[2].err, broken) {
		t.Errorf("the broken ones: %v and %v, want %v", results[0].err, results[2].err, broken)
	}
	r := results[1]
	if r.err != nil || r.rate <= 0 || r.p50 > r.p99 || r.heap == nil {
		t.Errorf("the one that works = %+v, %v, want figures", r.round, r.err)
	}
	if !first || !second {
		t.Error("a row was left open")
	}
}

func TestAnInterruptKeepsWhatWasMeasured(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	var closed bool
	turns := 0
	measure := func(context.Context, []time.Duration, time.Duration) (round, error) {
		if turns++; turns == 8 { // two a round: this is in the one after the second that counts
			interrupt()
			return round{}, errors.New("the child is gone")
		}
		return round{p50: time.Duration(turns), rate: 1}, nil
	}
	rows := []row{{workload: workload{table: besideNothing}, what: "is interrupted", start: func(context.Context, workload) (*target, error) {
		return &target{measure: measure, close: func() error { closed = true; return nil }}, nil
	}}}
	r := measureAll(ctx, rows, time.Second, io.Discard)[0]
	if r.err != nil || r.p50 != 4 || !closed {
		t.Errorf("interrupted = p50 %d, %v, closed %t, want the median of the two rounds before", r.p50, r.err, closed)
	}
	if r := measureAll(ctx, rows, time.Second, io.Discard)[0]; !errors.Is(r.err, context.Canceled) {
		t.Errorf("interrupted before the start: %v, want %v", r.err, context.Canceled)
	}
}

func TestRowsThatHaveToBeAloneAreMeasuredOnceWhenAllOthersHaveEnded(t *testing.T) {
	t.Parallel()
	var others, closed bool
	measured := 0
	lonely := row{workload: workload{name: "alone", table: ofMemory}, start: func(context.Context, workload) (*target, error) {
		return &target{close: func() error { closed = true; return nil }, measure: func(context.Context, []time.Duration, time.Duration) (round, error) {
			if measured++; !others {
				return round{}, errors.New("the others have not ended")
			}
			return round{figures: []float64{3e6, 4e6}}, nil
		}}, nil
	}}
	rows := []row{lonely, testRow("other", 1, func(context.Context) error { return nil }, &others)}
	r := measureAll(t.Context(), rows, 5*time.Millisecond, io.Discard)[0]
	if r.err != nil || measured != 1 || r.value() != 3e6 || !closed {
		t.Errorf("alone: %v, measured %d times, closed %t, want once, with its figures", r.err, measured, closed)
	}
}

func TestARoundEndsWhenItsSamplesAreFull(t *testing.T) {
	t.Parallel()
	samples := make([]time.Duration, 7)
	r, err := repeat(2, func(context.Context) error { return nil })(t.Context(), samples, time.Hour)
	if err != nil || r.rate <= 0 {
		t.Errorf("a round = %+v, %v, want 6 calls", r, err)
	}
}

func TestARoundOfStartsHasOneAtLeastAndCountsNoEnd(t *testing.T) {
	t.Parallel()
	began := 0
	r, err := repeatStarts(func(context.Context) (time.Duration, error) { began++; return 3, nil })(t.Context(), make([]time.Duration, 4), 0)
	if err != nil || began != 1 || r.count != 1 || r.p50 != 3 {
		t.Errorf("without any time: %d starts, %+v, %v, want one of 3 ns", began, r, err)
	}
	r, err = repeatStarts(func(context.Context) (time.Duration, error) { return 5, nil })(t.Context(), make([]time.Duration, 4), time.Hour)
	if err != nil || r.count != 4 {
		t.Errorf("with too much time: %+v, %v, want as many starts as there are samples", r, err)
	}
}

func TestTheReplyOfNodeIsTakenOrItsErrorTold(t *testing.T) {
	t.Parallel()
	r, err := readReply([]byte(`{"nanoseconds":2000,"samples":[300,100,200,400]}`), make([]time.Duration, 1))
	if err != nil || r.p50 != 200 || r.p99 != 400 || r.rate != 2e6 || r.heap != nil {
		t.Errorf("a reply = %+v, %v, want p50 200 ns, p99 400 ns, 2,000,000 calls/s", r, err)
	}
	for line, want := range map[string]string{
		`{"error":"no such module"}`: "no such module",
		`{"samples":[]}`:             "made no call",
		`Warning: something`:         "reading the reply",
	} {
		if _, err := readReply([]byte(line), nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", line, err, want)
		}
	}
}
