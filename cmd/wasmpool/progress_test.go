package main

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmpool/wasmpool/pool"
)

func TestCompilingIsToldOfWhenItTakesLong(t *testing.T) {
	t.Parallel()
	const told = "compiling worker.wasm (4.0 MB) …\n"
	for _, row := range []struct {
		name  string
		eager bool
		takes time.Duration
		want  string
	}{
		{"a moment, nobody watching", false, patience - 1, ""},
		{"longer, nobody watching", false, patience + 1, told},
		{"a moment, at a terminal", true, 1, told},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var stderr bytes.Buffer
				g := newProgress(&program{stderr: serialized(&stderr), eager: row.eager})
				info := pool.CompileInfo{Module: "worker.wasm", SHA256: "d", Bytes: 4_000_000}
				g.compile(info)
				<-time.After(row.takes)
				synctest.Wait()
				info.Took = row.takes
				g.compile(info)
				g.end()
				<-time.After(time.Minute)
				synctest.Wait()
				if got := stderr.String(); got != row.want {
					t.Errorf("standard error is %q, want %q", got, row.want)
				}
			})
		})
	}
}

func TestNothingIsToldOfWorkAfterTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var stderr bytes.Buffer
		g := newProgress(&program{stderr: serialized(&stderr)})
		g.compile(pool.CompileInfo{Module: "worker.wasm", SHA256: "d"})
		g.end()
		g.compile(pool.CompileInfo{Module: "worker.wasm", SHA256: "e"})
		<-time.After(time.Minute)
		synctest.Wait()
		if stderr.Len() > 0 {
			t.Errorf("standard error is %q, want nothing", stderr.String())
		}
	})
}
