package main

import (
	"encoding/json"
	"fmt"
)

// report is the JSON form of a run.
type report struct {
	Machine machine          `json:"machine"`
	Rows    []map[string]any `json:"rows"`
}

// encode writes a run as JSON. Each row has its workload and what it is, and its
// figures under the keys of the columns of its table: a column has no key where
// the table has a dash. A note and why it was not measured are there if they are.
func encode(m machine, results []result) (string, error) {
	rep := report{Machine: m}
	for _, r := range results {
		rec := map[string]any{"workload": r.workload.name, "what": r.what}
		if r.note != "" {
			rec["note"] = r.note
		}
		if r.err != nil {
			rec["not_measured"] = r.err.Error()
		} else {
			for _, c := range r.table.columns {
				if x, ok := c.of(r); ok {
					rec[c.key] = x
				}
			}
		}
		rep.Rows = append(rep.Rows, rec)
	}
	text, err := json.MarshalIndent(rep, "", "  ")
	if err != nil {
		return "", fmt.Errorf("encoding the results: %w", err)
	}
	return string(text) + "\n", nil
}
