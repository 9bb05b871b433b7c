package main

import (
	"testing"
	"time"
)

func TestPercentileIsTheSampleThatEnoughDoNotExceed(t *testing.T) {
	t.Parallel()
	hundred := make([]time.Duration, 100)
	for i := range hundred {
		hundred[i] = time.Duration(i + 1)
	}
	for _, c := range []struct {
		sorted []time.Duration
		p      int
		want   time.Duration
	}{
		{nil, 50, 0},
		{[]time.Duration{7}, 0, 7},
		{[]time.Duration{7}, 50, 7},
		{[]time.Duration{7}, 99, 7},
		{[]time.Duration{1, 2}, 50, 1},
		{[]time.Duration{1, 2, 3}, 50, 2},
		{[]time.Duration{1, 2, 3}, 99, 3},
		{hundred, 50, 50},
		{hundred, 99, 99},
		{hundred, 100, 100},
	} {
		if got := percentile(c.sorted, c.p); got != c.want {
			t.Errorf("percentile %d of %d samples = %v, want %v", c.p, len(c.sorted), got, c.want)
		}
	}
}

func TestMedianTakesTheLowerMiddleAndLeavesTheValuesAlone(t *testing.T) {
	t.Parallel()
	values := []float64{5, 1, 4, 2}
	if got := median(values); got != 2 || values[0] != 5 {
		t.Errorf("median = %v of what is now %v, want 2 of what it was", got, values)
	}
	if got := median([]int{3, 9, 1}); got != 3 {
		t.Errorf("median of three = %d, want 3", got)
	}
	if got := median[float64](nil); got != 0 {
		t.Errorf("median of nothing = %v, want 0", got)
	}
}
