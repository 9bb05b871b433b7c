package pool_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/wasmpool/wasmpool/pool"
)

// venture is something that a worker tries which was taken over. What it comes to
// without a wall shows that it is the wall that stops it.
type venture struct {
	what   string
	args   []string
	bare   []string // what it comes to without a wall; empty: that depends
	walled []string // behind it, once sealed
	strict []string // where every call that is not foreseen is deadly; nil: it dies
}

// Ways to come to an end.
var (
	works = []string{done}
	dies  = []string{killedBy + "bad system call: it made a system call that its sandbox does not allow"}
	no    = []string{refusedBy + "operation not permitted"}
	// What is said not to exist is so even where all else is deadly.
	absent = []string{refusedBy + "function not implemented"}
	rooted = worksWhere(privileged(), []string{refusedBy})
	root   = worksWhere(os.Geteuid() == 0, []string{refusedBy}) // whatever rights that has
	traced = worksWhere(privileged(), nil)                      // others may trace what is theirs, or not: see Yama
)

// worksWhere is what comes of a try that takes something to be so.
func worksWhere(so bool, others []string) []string {
	if so {
		return works
	}
	return others
}

// privileged reports whether this user has the rights that the tries take: root in
// a container may have given them up.
func privileged() bool {
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var have [2]unix.CapUserData
	const needed = 1<<unix.CAP_NET_RAW | 1<<unix.CAP_SYS_CHROOT
	return unix.Capget(&head, &have[0]) == nil && have[0].Effective&needed == needed
}

// ventures are tries of a worker that knows its parent and what there is to be found
// on this machine.
func ventures(t *testing.T) []venture {
	parent := []string{fmt.Sprint(os.Getpid())}
	dir, err := os.MkdirTemp(sharedCache, "") //nolint:usetesting // a short path: that of a socket has 107 bytes (unix(7))
	if err != nil {
		t.Fatal(err)
	}
	made := []string{filepath.Join(dir, "made")}
	tcp, path, abstract := listening(t, "tcp", "127.0.0.1:0"), listening(t, "unix", made[0]+".sock"), listening(t, "unix", fmt.Sprintf("@wasmpool-taken-over-%d", os.Getpid()))
	return []venture{
		{what: "open", args: []string{"/etc/passwd"}, bare: works, walled: no},
		{what: "open", args: []string{"/proc/" + parent[0] + "/environ"}, bare: works, walled: no},
		{what: "open", args: []string{"/proc/self/maps"}, bare: works, walled: no},
		{what: "open", args: []string{"/dev/null"}, bare: works, walled: no},
		{what: "open", args: []string{sharedCache}, bare: works, walled: no},
		{what: "find", args: []string{"/etc/passwd"}, bare: works, walled: no},
		{what: "create", args: made, bare: works, walled: no},

		{what: "connect TCP", args: tcp, bare: works, walled: no},
		{what: "connect UDP", args: tcp, bare: works, walled: no},
		{what: "connect Unix", args: path, bare: works, walled: no},
		{what: "connect Unix", args: abstract, bare: works, walled: no},
		{what: "listen TCP", bare: works, walled: no},
		{what: "socket pair", bare: works, walled: no},
		{what: "netlink", bare: works, walled: no},
		{what: "raw socket", bare: rooted, walled: no},
		{what: "packet socket", walled: no},
		{what: "vsock", walled: no},
		{what: "kernel's crypto", walled: no},

		{what: "fork", bare: works, walled: dies},
		{what: "fork by clone3", bare: works, walled: absent, strict: absent},
		{what: "fork, execute", args: []string{"/bin/true"}, bare: works, walled: no},
		{what: "execute", args: []string{"/bin/true"}, bare: []string{"pool: call \"execute\": worker"}, walled: dies},
		{what: "signal the group", bare: works, walled: dies},
		{what: "signal everybody", bare: works, walled: dies},
		{what: "signal", args: parent, bare: works, walled: dies},
		{what: "signal a thread", args: parent, bare: works, walled: dies},
		{what: "signal its thread", args: parent, bare: works, walled: dies},
		{what: "hold the process", args: parent, bare: works, walled: dies},
		{what: "compare", args: parent, walled: dies},
		{what: "trace", args: []string{"-1"}, walled: dies},
		{what: "change its limits", args: parent, bare: works, walled: no},
		{what: "read memory", args: parent, bare: traced, walled: dies},
		{what: "outlive the parent", bare: works, walled: no},
		{what: "begin a session", walled: dies},

		{what: "leave namespaces", bare: works, walled: dies},
		{what: "enter a namespace", walled: dies},
		{what: "mount", walled: dies},
		{what: "open a file system", walled: dies},
		{what: "change the root", bare: rooted, walled: dies},
		{what: "become root", bare: root, walled: dies},
		{what: "executable memory file", bare: works, walled: dies},
		{what: "io_uring", walled: dies},
		{what: "bpf", walled: dies},
		{what: "userfaultfd", walled: dies},
		{what: "perf", walled: dies},
		{what: "keys", walled: dies},
		{what: "shared memory", walled: dies},
		{what: "message queue", walled: dies},
		{what: "personality", bare: works, walled: dies},
		{what: "kernel log", walled: dies},
		{what: "another filter", walled: dies},
		{what: "filter by prctl", walled: no},
		{what: "be dumpable", bare: works, walled: no},
		{what: "x32", walled: dies},
		{what: "unknown call", bare: absent, walled: absent, strict: absent},
		{what: "more descriptors", bare: works, walled: no},
		{what: "more addresses", bare: works, walled: no},

		{what: "map code", bare: works, walled: dies},
		{what: "make code", bare: works, walled: dies},
		{what: "make code by a key", bare: works, walled: dies},
	}
}

// listening returns the address of a socket that others may connect to.
func listening(t *testing.T, network, address string) []string {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return []string{l.Addr().String()}
}

// unbroken skips a test unless the whole wall can be had here.
func unbroken(t *testing.T, p *pool.Pool) {
	t.Helper()
	honest(t, p)
	for _, l := range p.Stats().Sandbox {
		if !l.On {
			t.Skipf("this machine has no layer %s: %s", l.Name, l.Why)
		}
	}
}

func TestATakenOverWorkerGetsNothingThroughTheWall(t *testing.T) {
	p := hostilePool(t, pool.Options{})
	unbroken(t, p)
	before := measure(t)
	for _, r := range ventures(t) {
		t.Run(strings.Join(append([]string{r.what}, r.args...), " "), func(t *testing.T) {
			if got := cameTo(try(t, p, r.what, r.args)); !comesTo(got, r.walled) {
				t.Errorf("it came to %q, want %q", got, r.walled)
			}
			honest(t, p)
		})
	}
	before.compareMemory(t)
	if err := p.Stop(within(t)); err != nil {
		t.Error(err)
	}
	before.compareRest(t)
}

func TestATakenOverWorkerDiesOfEveryTryBehindAStrictWall(t *testing.T) {
	p := hostilePool(t, pool.Options{Sandbox: pool.Strict})
	_, err := p.Call(within(t), "echo", "add", 1, 2)
	skipWithoutWall(t, err)
	unbroken(t, p)
	for _, r := range ventures(t) {
		if slices.Equal(r.walled, dies) {
			continue // and so it does there
		}
		t.Run(strings.Join(append([]string{r.what}, r.args...), " "), func(t *testing.T) {
			if r.strict == nil {
				r.strict = dies
			}
			if got := cameTo(try(t, p, r.what, r.args)); !comesTo(got, r.strict) {
				t.Errorf("it came to %q, want %q", got, r.strict)
			}
			honest(t, p)
		})
	}
}

func TestATakenOverWorkerGetsWhatItTriesWhereThereIsNoWall(t *testing.T) {
	p := hostilePool(t, pool.Options{Sandbox: pool.Off})
	for _, r := range ventures(t) {
		t.Run(strings.Join(append([]string{r.what}, r.args...), " "), func(t *testing.T) {
			if got := cameTo(try(t, p, r.what, r.args)); !comesTo(got, r.bare) {
				t.Errorf("it came to %q, want %q: else the wall is not what stops it", got, r.bare)
			}
			honest(t, p)
		})
	}
}
