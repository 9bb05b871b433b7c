package main

import (
	"encoding/json"
	"fmt"
)

// report is the JSON form of a run. Times are in nanoseconds.
type report struct {
	Machine machine  `json:"machine"`
	Rows    []record `json:"rows"`
}

type record struct {
	Workload    string   `json:"workload"`
	What        string   `json:"what"`
	P50         int64    `json:"p50_ns,omitempty"`
	P99         int64    `json:"p99_ns,omitempty"`
	CallsPerS   float64  `json:"calls_per_s,omitempty"`
	BytesPerOp  *float64 `json:"bytes_per_op,omitempty"`
	AllocsPerOp *float64 `json:"allocs_per_op,omitempty"`
	Ratio       float64  `json:"times_socketpair,omitempty"`
	Note        string   `json:"note,omitempty"`
	NotMeasured string   `json:"not_measured,omitempty"` // why
}

func encode(m machine, results []result) (string, error) {
	rep := report{Machine: m}
	for _, r := range results {
		rec := record{
			Workload: r.workload.name, What: r.what, P50: int64(r.p50), P99: int64(r.p99), CallsPerS: r.rate,
			Ratio: ratio(r, results), Note: r.note,
		}
		if r.heap != nil {
			rec.BytesPerOp, rec.AllocsPerOp = &r.heap.bytes, &r.heap.allocs
		}
		if r.err != nil {
			rec.NotMeasured = r.err.Error()
		}
		rep.Rows = append(rep.Rows, rec)
	}
	text, err := json.MarshalIndent(rep, "", "  ")
	if err != nil {
		return "", fmt.Errorf("encoding the results: %w", err)
	}
	return string(text) + "\n", nil
}
