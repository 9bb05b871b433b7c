package archtest

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// madeUp builds a graph from lines of "package: import import". Whatever is
// named only as an import, and holds no dot, is of the standard library.
func madeUp(lines ...string) graph {
	g := graph{}
	for _, line := range lines {
		pkg, imports, _ := strings.Cut(line, ":")
		g[pkg] = node{imports: strings.Fields(imports), ours: !strings.Contains(pkg, ".")}
	}
	for _, line := range lines {
		_, imports, _ := strings.Cut(line, ":")
		for _, to := range strings.Fields(imports) {
			if _, known := g[to]; !known {
				g[to] = node{std: !strings.Contains(to, ".")}
			}
		}
	}
	return g
}

func TestRulesComplainOfMadeUpGraphs(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		graph graph
		want  []string // the start of each fault, in order
	}{
		{"nothing exists", madeUp(), nil},
		{"the house as designed", madeUp(
			"pool: internal/sched subprocess isolate isolate/wazero context",
			"internal/sched: time errors",
			"subprocess: internal/wire abi os",
			"internal/wire: abi",
			"isolate: isolate/engine abi",
			"isolate/engine: abi",
			"isolate/wazero: isolate/engine github.com/tetratelabs/wazero",
			"guest: abi context",
			"guest/guesttest: guest testing",
			"pool/pooltest: pool testing",
			"abi: strings",
		), nil},
		{"sched waits", madeUp("internal/sched: context"), []string{"internal/sched must not reach context "}},
		{
			"sched waits at a distance", madeUp("internal/sched: abi", "abi: os/signal"),
			[]string{"internal/sched must not reach os/signal (internal/sched → abi → os/signal)"},
		},
		{"sched uses another room", madeUp("internal/sched: subprocess", "subprocess:"), []string{"internal/sched must not reach subprocess "}},
		{"subprocess knows isolate", madeUp("subprocess/sandbox: isolate", "isolate:"), []string{"subprocess/sandbox must not reach isolate "}},
		{"wire knows an engine", madeUp("internal/wire: abi", "abi: isolate/engine", "isolate/engine:"), []string{
			"internal/wire must not reach isolate/engine (internal/wire → abi → isolate/engine)",
			"abi must not reach isolate/engine ",
		}},
		{"abi has a dependency", madeUp("abi: golang.org/x/text"), []string{"abi must not reach golang.org/x/text "}},
		{"guest knows the host", madeUp("guest/guesttest: pool", "pool:"), []string{"guest/guesttest must not reach pool "}},
		{"guest has a dependency", madeUp("guest: example.com/x"), []string{"guest must not reach example.com/x "}},
		{"isolate knows an engine", madeUp("isolate: isolate/wazero", "isolate/wazero:"), []string{"isolate must not reach isolate/wazero "}},
		{"the contract knows an engine", madeUp("isolate/engine: isolate/wazero", "isolate/wazero:"), []string{"isolate/engine must not reach isolate/wazero "}},
		{
			"wazero from elsewhere", madeUp("cmd/wasmpool: isolate/wazero github.com/tetratelabs/wazero/api", "isolate/wazero: github.com/tetratelabs/wazero/api"),
			[]string{"cmd/wasmpool must not reach github.com/tetratelabs/wazero/api "},
		},
		{"wazero, by way of its only importer", madeUp("cmd/wasmpool: isolate/wazero", "isolate/wazero: github.com/tetratelabs/wazero"), nil},
		{"testing in production, at a distance", madeUp("pool: golang.org/x/y", "golang.org/x/y: testing"), []string{"pool must not reach testing (pool → golang.org/x/y → testing)"}},
		{"go-cmp in test support", madeUp("pool/pooltest: github.com/google/go-cmp/cmp"), []string{"pool/pooltest must not reach github.com/google/go-cmp/cmp "}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, r := range rules {
				got = append(got, r.check(tt.graph)...)
			}
			if len(got) != len(tt.want) {
				t.Fatalf("got %d faults, want %d:\n%s", len(got), len(tt.want), strings.Join(got, "\n"))
			}
			for i := range got {
				if !strings.HasPrefix(got[i], tt.want[i]) {
					t.Errorf("fault %d:\n got %s\nwant %s…", i, got[i], tt.want[i])
				}
				if !strings.Contains(got[i], "): ") {
					t.Errorf("fault %d gives no reason: %s", i, got[i])
				}
			}
		})
	}
}

func TestEveryRuleHasAReason(t *testing.T) {
	t.Parallel()
	for i, r := range rules {
		if r.reason == "" {
			t.Errorf("rule %d about %v has no reason", i, r.from)
		}
	}
}

func TestSourceScanFindsClocksGoroutinesAndImporters(t *testing.T) {
	t.Parallel()
	dir := fstest.MapFS{
		"a.go":      {Data: []byte("package p\nimport clock \"time\"\nvar f = clock.Now\nfunc g() { go g() }\n")},
		"b.go":      {Data: []byte("package p\nimport \"time\"\nimport _ \"example.com/m/x/y\"\nfunc h(t time.Time) time.Time { return t.Add(time.Second) }\n")},
		"c_test.go": {Data: []byte("package p\nimport \"time\"\nvar _ = time.Now\n")},
	}
	fset, files := parsed(t, dir)
	if diff := cmp.Diff([]string{"a.go:3:9: time.Now", "a.go:4:12: go statement"}, waits(fset, files["a.go"])); diff != "" {
		t.Errorf("waits of a.go (-want +got):\n%s", diff)
	}
	if got := waits(fset, files["b.go"]); got != nil {
		t.Errorf("waits of b.go = %q, want none", got)
	}
	if diff := cmp.Diff([]string{"b.go"}, importers(files, "example.com/m/x")); diff != "" {
		t.Errorf("importers (-want +got):\n%s", diff)
	}
}
