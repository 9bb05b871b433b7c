package guestbuild_test

import (
	"bytes"
	"sync"
	"testing"

	"github.com/wasmpool/wasmpool/internal/guestbuild"
)

func TestGoBuildsAReactorOnceForAllWhoAsk(t *testing.T) {
	t.Parallel()
	var all [4][]byte
	var wg sync.WaitGroup
	for i := range all {
		wg.Go(func() { all[i] = guestbuild.Go(t, "../../guest/testworker") })
	}
	wg.Wait()
	for i, wasm := range all {
		if !bytes.HasPrefix(wasm, []byte("\x00asm\x01\x00\x00\x00")) || !bytes.Contains(wasm, []byte("wasmpool_call")) {
			t.Fatalf("build %d is no worker: %d bytes", i, len(wasm))
		}
		if &wasm[0] != &all[0][0] {
			t.Errorf("build %d was made anew", i)
		}
	}
}
