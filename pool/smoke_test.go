package pool_test

import (
	"context"
	"testing"
	"time"

	"github.com/wasmpool/wasmpool/pool"
	"github.com/wasmpool/wasmpool/testdata/wasm"
)

func TestSmoke(t *testing.T) {
	p, err := pool.New(pool.Options{Modules: map[string]pool.Module{"echo": {Bytes: wasm.Module("echo")}}, CacheDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	greet := pool.Func[string](p, "echo", "greet")
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	t0 := time.Now()
	s, err := greet(ctx, "world")
	t.Log(s, err, time.Since(t0))
	t0 = time.Now()
	for range 10000 {
		if _, err := p.CallRaw(ctx, "echo", "echo", []byte(`["hello"]`)); err != nil {
			t.Fatal(err)
		}
	}
	t.Log(time.Since(t0)/10000)
	t.Logf("%+v", p.Stats().Workers)
	t.Log(p.Close())
}
