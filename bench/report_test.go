package main

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var testMachine = machine{CPU: "CPU <1> & more", Cores: 2, Kernel: "Linux 6", Go: "go1.26", Commit: "abc"}

func testResults() []result {
	results := []result{
		{
			row:   row{workload: small, what: "raw socketpair", base: true},
			round: round{p50: 10 * time.Microsecond, p99: 20500 * time.Nanosecond, rate: 98765.4, heap: &heap{}},
		},
		{
			row: row{workload: small, what: "wasmpool", ours: true}, note: "without\n a wall",
			round: round{p50: 12345 * time.Nanosecond, p99: 3 * time.Millisecond, rate: 1234567, heap: &heap{bytes: 1040.4, allocs: 4.9}},
		},
		{row: row{workload: small, what: "a <b> & c"}, err: errors.New("it is\nnot there")},
		{row: row{workload: small, what: "engine"}, round: round{p50: 250, p99: 999, rate: 10}},
		{row: row{workload: crowd, what: "wasmpool", ours: true}, round: round{p50: 2 * time.Second, p99: 123 * time.Second, rate: 0.4}},
		{row: row{workload: memory, what: "heavy"}, round: round{figures: []float64{45e6, 51.25e6}}},
		{row: row{workload: memory, what: "light"}, round: round{figures: []float64{2.1e6, 7.4e6}}},
		{row: row{workload: workload{name: "Idle", table: ofIdle}, what: "wasmpool", ours: true}, round: round{figures: []float64{5e6, 1e9}}},
	}
	compare(results)
	return results
}

func TestTheTableShowsTheQuickestFirstAndWhatIsMissing(t *testing.T) {
	t.Parallel()
	const want = `CPU <1> & more, 2 cores, Linux 6, go1.26, wasmpool abc.

| 32 B | p50 | p99 | calls/s | B/op | allocs/op | × socketpair |
|---|--:|--:|--:|--:|--:|--:|
| engine | 250 ns | 999 ns | 10 | – | – | 0.03 |
| raw socketpair | 10.0 µs | 20.5 µs | 98,765 | 0 | 0 | 1.00 |
| **wasmpool** | 12.3 µs | 3.00 ms | 1,234,567 | 1,040 | 5 | 1.23 |
| a <b> & c | not measured | – | – | – | – | – |

| 32 B, 64 callers, 2 workers | p50 | p99 | calls/s | B/op | allocs/op |
|---|--:|--:|--:|--:|--:|
| **wasmpool** | 2.00 s | 123 s | 0 | – | – |

| Memory of a worker | one more | the first |
|---|--:|--:|
| light | 2.10 MB | 7.40 MB |
| heavy | 45.0 MB | 51.2 MB |

| Idle | of one core | processor time | in |
|---|--:|--:|--:|
| **wasmpool** | 0.500 % | 5.00 ms | 1.00 s |

- 32 B: wasmpool: without a wall
- 32 B: a <b> & c: not measured: it is not there
`
	if diff := cmp.Diff(want, markdown(testMachine, testResults())); diff != "" {
		t.Errorf("the table (-want +got):\n%s", diff)
	}
}

func TestTheChartsAreWellFormedWithABarForEachMeasuredRowThatHasOne(t *testing.T) {
	t.Parallel()
	for name, results := range map[string][]result{"none": nil, "some": testResults()} {
		bars, measured := -1, 0 // the background is no bar
		for _, r := range results {
			if r.err == nil && r.table.chart != nil {
				measured++
			}
		}
		d := xml.NewDecoder(strings.NewReader(svg(testMachine, results)))
		for {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if s, ok := token.(xml.StartElement); ok && s.Name.Local == "rect" {
				bars++
			}
		}
		if bars != measured {
			t.Errorf("%s: %d bars, want %d", name, bars, measured)
		}
	}
}

func TestTheJSONFormHasEveryRow(t *testing.T) {
	t.Parallel()
	text, err := encode(testMachine, testResults())
	if err != nil {
		t.Fatal(err)
	}
	var got report
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"workload": "32 B", "what": "wasmpool", "p50_ns": 12345.0, "p99_ns": 3e6, "calls_per_s": 1234567.0,
		"bytes_per_op": 1040.4, "allocs_per_op": 4.9, "times_socketpair": 1.2345, "note": "without\n a wall",
	}
	if len(got.Rows) != len(testResults()) || got.Machine != testMachine {
		t.Fatalf("%d rows of %+v, want all of them", len(got.Rows), got.Machine)
	}
	if diff := cmp.Diff(want, got.Rows[1]); diff != "" {
		t.Errorf("the row (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]any{"workload": "Memory of a worker", "what": "heavy", "one_more_bytes": 45e6, "first_bytes": 51.25e6}, got.Rows[5]); diff != "" {
		t.Errorf("the row that is no call (-want +got):\n%s", diff)
	}
	if got.Rows[2]["not_measured"] != "it is\nnot there" {
		t.Error("a row that was not measured does not say why")
	}
}

func TestDecadesAreNamedInTheirUnit(t *testing.T) {
	t.Parallel()
	for exponent, want := range map[int]string{0: "1 ns", 2: "100 ns", 3: "1 µs", 7: "10 ms", 9: "1 s", 13: "10000 s"} {
		if got := timeChart.decade(exponent); got != want {
			t.Errorf("10^%d ns = %q, want %q", exponent, got, want)
		}
	}
}
