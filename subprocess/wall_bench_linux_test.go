package subprocess

import (
	"fmt"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/wasmpool/wasmpool/subprocess/sandbox"
)

// BenchmarkStart is from the order to start a process to its hello: without a
// wall and behind the whole of it, in a program of some size.
func BenchmarkStart(b *testing.B) {
	for _, size := range []int{0, 2 << 30} {
		for _, row := range []struct {
			name   string
			layers sandbox.Set
		}{{"none", 0}, {"all", sandbox.All}} {
			b.Run(fmt.Sprintf("program=%dMiB/wall=%s", size>>20, row.name), func(b *testing.B) {
				if size > 0 {
					m, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_POPULATE)
					if err != nil {
						b.Skipf("%d bytes of memory: %v", size, err)
					}
					defer unix.Munmap(m)
				}
				for b.Loop() {
					p, err := Start(b.Context(), Options{Name: "worker", Sandbox: sandbox.Plan{Layers: row.layers}}, newRecorder())
					if err != nil {
						b.Fatal(err)
					}
					b.StopTimer()
					p.Kill(nil)
					<-p.Done()
					b.StartTimer()
				}
			})
		}
	}
}
