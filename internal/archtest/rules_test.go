package archtest

import (
	"fmt"
	"slices"
	"strings"
)

// rule is one door that stays shut. A rule about packages that do not exist
// holds.
type rule struct {
	from   []string // whom it binds, patterns as in under; empty: all our packages
	except []string // but not these
	never  []string // what they must not reach, at any distance
	only   []string // if set: of this module, all that they may reach besides themselves
	bare   bool     // nothing from outside this module but the standard library
	direct bool     // never is about the packages' own imports only
	reason string
}

var rules = []rule{
	{
		from:   []string{"internal/sched/..."},
		never:  []string{"context", "sync/...", "os/...", "io/...", "net/...", "syscall/...", "log/...", "golang.org/x/sys/..."},
		only:   []string{"internal/sched/...", "abi"},
		reason: "the scheduler decides and never waits: without locks, clocks and I/O its tests need none either",
	},
	{
		from:   []string{"subprocess/..."},
		never:  []string{"isolate/...", "pool/...", "internal/sched/..."},
		reason: "subprocess carries calls to any Handler; what runs them is joined to it in internal/child",
	},
	{
		from:   []string{"cmd/wasmpool-runner", "internal/child"},
		only:   []string{"internal/child", "internal/spin", "internal/wire", "isolate/...", "subprocess/...", "abi"},
		reason: "the runner is what a broken-out guest finds: it has nothing that serving does not need",
	},
	{
		from:   []string{"subprocess/sandbox"},
		never:  []string{"internal/...", "subprocess", "abi"},
		reason: "the wall knows nothing of what it is around",
	},
	{
		from:   []string{"internal/wire/..."},
		never:  []string{"isolate/...", "subprocess/...", "pool/..."},
		reason: "wire is bytes between two processes and the parent parses them: it knows no engine",
	},
	{
		from:   []string{"internal/spin"},
		only:   []string{"internal/spin"},
		bare:   true,
		reason: "to wait for a moment takes a clock and a processor",
	},
	{
		from:   []string{"abi"},
		only:   []string{"abi"},
		bare:   true,
		reason: "both ends of the border import abi, the guest's end for wasip1",
	},
	{
		from:   []string{"guest/..."},
		only:   []string{"guest/...", "abi"},
		bare:   true,
		reason: "the SDK is compiled into every worker: the host's code has no place there",
	},
	{
		from:   []string{"isolate"},
		only:   []string{"isolate/engine", "abi"},
		reason: "isolate meets the ABI on any engine, and any process may carry it",
	},
	{
		from:   []string{"isolate/engine"},
		only:   []string{"abi"},
		reason: "a contract knows none of those who fulfil it",
	},
	{
		except: []string{"isolate/wazero/..."},
		never:  []string{"github.com/tetratelabs/wazero/..."},
		direct: true,
		reason: "engines can be exchanged only while nothing else knows one by name",
	},
	{
		except: append(testSupport, "internal/archtest"),
		never:  []string{"testing/...", "github.com/google/go-cmp/..."},
		reason: "a test library in production code ends up in every user's program, flags and all",
	},
	{
		except: []string{"internal/takenover", "internal/wasmtest", "internal/guestbuild"},
		never:  []string{"internal/takenover", "internal/wasmtest", "internal/guestbuild"},
		reason: "what tests attack with is no part of what is attacked",
	},
	{
		from:   testSupport,
		never:  []string{"github.com/google/go-cmp/..."},
		reason: "users' tests import these packages: they may cost them no dependency",
	},
}

// testSupport is imported by tests only, ours or the users', and may import
// testing.
var testSupport = []string{"pool/pooltest/...", "isolate/engine/enginetest/...", "guest/guesttest/...", "internal/guestbuild"}

// check returns one sentence for each way in which a graph breaks a rule, with
// the chain of imports that does it.
func (r rule) check(g graph) []string {
	var faults []string
	for pkg, n := range g {
		if !n.ours || under(pkg, r.except) || len(r.from) > 0 && !under(pkg, r.from) {
			continue
		}
		forbidden := func(to string) bool { return r.forbids(g, pkg, to) }
		way := g.path(pkg, forbidden)
		if r.direct {
			way = nil
			if i := slices.IndexFunc(n.imports, forbidden); i >= 0 {
				way = []string{pkg, n.imports[i]}
			}
		}
		if way != nil {
			faults = append(faults, fmt.Sprintf("%s must not reach %s (%s): %s",
				pkg, way[len(way)-1], strings.Join(way, " → "), r.reason))
		}
	}
	slices.Sort(faults)
	return faults
}

func (r rule) forbids(g graph, from, to string) bool {
	n := g[to]
	switch {
	case under(to, r.never):
		return true
	case n.ours:
		return r.only != nil && to != from && !under(to, r.only)
	default:
		return r.bare && !n.std && to != "C" && to != "unsafe"
	}
}
