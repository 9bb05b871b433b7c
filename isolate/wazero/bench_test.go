package wazero

import (
	"context"
	"io"
	"testing"

	"github.com/wasmpool/wasmpool/internal/guestbuild"
	"github.com/wasmpool/wasmpool/isolate/engine"
	"github.com/wasmpool/wasmpool/isolate/engine/enginetest"
	"github.com/wasmpool/wasmpool/testdata/wasm"
)

// echoHost gives back what it was given.
type echoHost struct {
	input, output []byte
}

func (h *echoHost) Input() []byte                   { return h.input }
func (h *echoHost) Function() string                { return "echo" }
func (h *echoHost) Context() []byte                 { return nil }
func (h *echoHost) Reply() []byte                   { return nil }
func (h *echoHost) Fail([]byte) error               { return nil }
func (h *echoHost) Log(int32, []byte)               {}
func (h *echoHost) Cancelled() bool                 { return false }
func (h *echoHost) Call(_, _ []byte) (int32, error) { return 0, nil }
func (h *echoHost) Output(payload []byte) (err error) {
	h.output = append(h.output[:0], payload...)
	return nil
}

// guests are the workers to compare: the same echo in C and in Go.
func guests(t testing.TB) map[string][]byte {
	return map[string][]byte{"c": wasm.Module("echo"), "go": guestbuild.Go(t, "testdata/echo")}
}

func start(t testing.TB, source []byte, config engine.Config, host engine.Host) (engine.Module, engine.Instance) {
	t.Helper()
	e := New()
	t.Cleanup(func() { _ = e.Close() })
	m, err := e.Load(context.Background(), source, config)
	if err != nil {
		t.Fatal(err)
	}
	x, err := m.Instantiate(context.Background(), engine.InstanceConfig{Host: host})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = x.Close() })
	return m, x
}

func BenchmarkInvoke(b *testing.B) {
	for name, source := range guests(b) {
		for size, text := range map[int]string{32: "32B", 64 << 10: "64KiB"} {
			b.Run("guest="+name+"/payload="+text, func(b *testing.B) {
				host := &echoHost{input: make([]byte, size)}
				_, x := start(b, source, engine.Config{}, host)
				b.ReportAllocs()
				b.SetBytes(int64(size))
				for b.Loop() {
					if status, err := x.Invoke("echo"); status != 0 || err != nil {
						b.Fatal(status, err)
					}
				}
				if len(host.output) != size {
					b.Fatalf("echoed %d bytes, want %d", len(host.output), size)
				}
			})
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	for name, source := range guests(b) {
		for _, cached := range []bool{false, true} {
			b.Run("guest="+name+map[bool]string{false: "/compiled", true: "/cached"}[cached], func(b *testing.B) {
				var config engine.Config
				if cached {
					code := enginetest.Compile(b, New, source)
					config.Code, config.CodeSHA256 = enginetest.CodeFile(b, code), enginetest.Digest(code)
				}
				for b.Loop() {
					if cached {
						if _, err := config.Code.Seek(0, io.SeekStart); err != nil {
							b.Fatal(err)
						}
					}
					e := New()
					m, err := e.Load(b.Context(), source, config)
					if err != nil {
						b.Fatal(err)
					}
					if m.Describe().Cached != cached {
						b.Fatal("the cache is not as it should be")
					}
					if err := e.Close(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkInstantiate(b *testing.B) {
	for name, source := range guests(b) {
		b.Run("guest="+name, func(b *testing.B) {
			m, _ := start(b, source, engine.Config{MemoryBytes: 256 << 20}, &echoHost{})
			for b.Loop() {
				x, err := m.Instantiate(b.Context(), engine.InstanceConfig{Host: &echoHost{}})
				if err != nil {
					b.Fatal(err)
				}
				if err := x.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkScan(b *testing.B) {
	for name, source := range guests(b) {
		b.Run("guest="+name, func(b *testing.B) {
			b.SetBytes(int64(len(source)))
			for b.Loop() {
				if _, err := scan(source, engine.Config{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
