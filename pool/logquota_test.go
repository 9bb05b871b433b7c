package pool_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmpool/wasmpool/pool"
	"github.com/wasmpool/wasmpool/pool/pooltest"
	"github.com/wasmpool/wasmpool/subprocess"
)

// What a worker logs in a second is bounded, each record with 64 bytes beside its
// text; what is more is dropped, and counted in the log when there is room again.
func TestWhatAWorkerLogsInASecondIsBounded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d := newDiary()
		line := strings.Repeat("x", 36) // ten of them, with the 64 each, are within 1024
		b := newBench(t, pool.Options{
			Events: pool.Events{Log: d.events().Log}, Logger: quiet,
			Modules: map[string]pool.Module{"a": {Bytes: []byte("a"), Limits: pool.Limits{LogBytes: 1024}}},
			Launcher: &pooltest.Launcher{OnCall: func(_ context.Context, c *pooltest.Call) (any, error) {
				for range 13 {
					c.Worker.Log(subprocess.LogRecord{Text: line})
				}
				return nil, nil
			}},
		})
		b.do("log")
		synctest.Wait()
		want(t, "the records of the first second", len(d.all()), 10)
		pass(time.Second - 1)
		b.do("log")
		synctest.Wait()
		want(t, "the records of the first second, still", len(d.all()), 10)
		pass(1)
		b.do("log")
		synctest.Wait()
		all := d.all()
		want(t, "the records of the second one, and the count", len(all), 10+1+10)
		want(t, "the count", all[10], "log 1 worker: 16 log records dropped: more than 1024 bytes in a second (Limits.LogBytes)")
	})
}
