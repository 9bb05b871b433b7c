//go:build linux || darwin

package pool_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wasmpool/wasmpool/pool"
)

// bareChild is the environment variable that makes this test binary the other
// end of the bare socketpair.
const bareChild = "WASMPOOL_BENCH_BARE_CHILD"

func init() {
	if os.Getenv(bareChild) != "" {
		conn, err := net.FileConn(os.NewFile(3, "socket"))
		if err != nil {
			panic(err)
		}
		_, _ = io.Copy(conn, conn) // until the parent is gone
		os.Exit(0)
	}
}

// BenchmarkCall measures an echo through a pool with one process (one caller) or
// two (64 callers), beside a bare Go socketpair to a child that echoes.
func BenchmarkCall(b *testing.B) {
	for _, payload := range []int{32, 4 << 10, 64 << 10} {
		for _, callers := range []int{1, 64} {
			b.Run(fmt.Sprintf("via=pool/callers=%d/payload=%d", callers, payload), func(b *testing.B) {
				benchPool(b, callers, payload, pool.Default)
			})
		}
		b.Run(fmt.Sprintf("via=socketpair/callers=1/payload=%d", payload), func(b *testing.B) { benchBare(b, payload) })
	}
}

// BenchmarkCallAndSandbox is whether the sandbox costs a call anything. Whichever
// comes second is some percent slower on a machine that was idle: to compare, run
// them one by one in both orders.
func BenchmarkCallAndSandbox(b *testing.B) {
	for _, s := range []pool.Sandbox{pool.Off, pool.Default} {
		b.Run("sandbox="+s.String(), func(b *testing.B) { benchPool(b, 1, 32, s) })
	}
}

func benchPool(b *testing.B, callers, payload int, sandbox pool.Sandbox) {
	processes := min(callers, 2)
	p := start(b, pool.Options{Min: processes, Max: processes, Preload: []string{"echo"}, Sandbox: sandbox})
	args := []byte(`["` + strings.Repeat("x", payload-4) + `"]`)
	ctx := context.Background()
	call := func() {
		got, err := p.CallRaw(ctx, "echo", "echo", args)
		if err != nil || len(got) != payload {
			b.Errorf("echo = %d bytes, %v, want %d", len(got), err, payload)
		}
	}
	call()
	b.SetBytes(int64(payload))
	b.ReportAllocs()
	b.ResetTimer()
	begun := time.Now()
	if callers == 1 {
		for range b.N {
			call()
		}
	} else {
		var all sync.WaitGroup
		for i := range callers {
			all.Go(func() {
				for range b.N/callers + min(1, max(0, b.N%callers-i)) {
					call()
				}
			})
		}
		all.Wait()
	}
	b.ReportMetric(float64(b.N)/time.Since(begun).Seconds(), "calls/s")
}

// benchBare measures the ping-pong that the socket transport stands on.
func benchBare(b *testing.B, payload int) {
	ours, theirs := socketpair(b)
	cmd := exec.Command(os.Args[0])
	cmd.Env = []string{bareChild + "=1"}
	cmd.ExtraFiles = []*os.File{theirs}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	_ = theirs.Close()
	conn, err := net.FileConn(ours)
	if err != nil {
		b.Fatal(err)
	}
	_ = ours.Close()
	defer func() {
		_ = conn.Close()
		_ = cmd.Wait()
	}()
	out, in := bytes.Repeat([]byte("x"), payload), make([]byte, payload)
	b.SetBytes(int64(payload))
	b.ReportAllocs()
	b.ResetTimer()
	begun := time.Now()
	for range b.N {
		sent := make(chan error, 1)
		if payload > 16<<10 {
			go func() { _, err := conn.Write(out); sent <- err }() // it may not fit
		} else {
			_, err := conn.Write(out)
			sent <- err
		}
		if _, err := io.ReadFull(conn, in); err != nil {
			b.Fatal(err)
		}
		if err := <-sent; err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/time.Since(begun).Seconds(), "calls/s")
}
