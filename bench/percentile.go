package main

import (
	"cmp"
	"slices"
	"time"
)

// percentile returns the smallest of the sorted samples that p percent of them
// do not exceed. Without samples it is zero.
func percentile(sorted []time.Duration, p int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	rank := (len(sorted)*p + 99) / 100 // rounded up
	return sorted[max(rank, 1)-1]
}

// median returns the middle one of the values, the lower one of two. Without
// values it is zero.
func median[T cmp.Ordered](values []T) T {
	if len(values) == 0 {
		var zero T
		return zero
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[(len(sorted)-1)/2]
}
