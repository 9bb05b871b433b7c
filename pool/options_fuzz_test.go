package pool_test

import (
	"context"
	"math"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/wasmpool/wasmpool/abi"
	"github.com/wasmpool/wasmpool/pool"
	"github.com/wasmpool/wasmpool/pool/pooltest"
)

// FuzzOptions: whatever the options, New makes a pool, or says of each fault
// which field it is of; it never panics, and starts nothing.
func FuzzOptions(f *testing.F) {
	for _, n := range []int64{0, 1, -1, 2, 1_000, 2_001, math.MaxInt64, math.MinInt64} {
		f.Add(n, n, n, n, n, uint8(n), "name", "value")
	}
	f.Add(int64(2), int64(1), int64(0), int64(10), int64(1<<20), uint8(9), "a=b", "x\x00")
	f.Add(int64(3), int64(2), int64(1), int64(1), int64(1<<20), uint8(2), "right", "right")
	f.Add(int64(3), int64(3), int64(1), int64(0), int64(1<<62), uint8(0), "", "")
	f.Add(int64(1), int64(0), int64(0), int64(-5), int64(65_536), uint8(3), "_start", "\xff")
	f.Fuzz(func(t *testing.T, maximum, minimum, count, duration, bytes int64, small uint8, name, value string) {
		d := time.Duration(duration)
		limits := pool.Limits{MemoryBytes: bytes, ModuleBytes: bytes, InputBytes: bytes, OutputBytes: bytes, CompileTime: d}
		var preload []string
		digest, shape, source, host := value, abi.Shape(value), []byte(nil), pool.HostFunc(nil)
		if small%2 == 0 { // so that there is something right about them
			preload = []string{name} // whose module is not a file
			digest, shape, source, host = "", "", []byte(value), func(context.Context, []byte) ([]byte, error) { return nil, nil }
		}
		launcher := new(pooltest.Launcher)
		p, err := pool.New(pool.Options{
			Manual: true, Launcher: launcher, DisableCache: true, Logger: quiet,
			Max: int(maximum), Min: int(minimum), Spare: int(count), Concurrency: int(count), Full: int(count), QueueLimit: int(count),
			MaxCalls: int(count), Strategy: pool.Strategy(small), StopSignal: int(small), Seed: uint64(bytes),
			IdleTimeout: d, StopTimeout: d, StartTimeout: d, CallTimeout: d, QueueTimeout: d, CancelGrace: d, MaxAge: d,
			MaxMemoryBytes: bytes, Limits: limits, Dir: value, Args: []string{value}, Env: map[string]string{name: value},
			Preload: preload, Host: map[string]pool.HostFunc{name: host},
			Modules: map[string]pool.Module{name: {
				Source: value, Bytes: source, SHA256: digest, Shape: shape, Functions: []string{name, value}, Args: []string{name},
				Env: map[string]string{value: name}, Concurrency: int(count), Limits: limits,
			}},
		})
		if n := len(launcher.Workers()); n != 0 {
			t.Errorf("%d workers were started", n)
		}
		if err == nil {
			if err := p.Stop(context.Background()); err != nil {
				t.Error(err)
			}
			return
		}
		namesFields(t, err)
	})
}

var ofOption = regexp.MustCompile(`^pool: option (\w+)`)

// namesFields sees that each line of an error is about a field of the options,
// and only that: what a user has put into them cannot begin a line.
func namesFields(t *testing.T, err error) {
	t.Helper()
	for _, line := range strings.Split(err.Error(), "\n") {
		match := ofOption.FindStringSubmatch(line)
		if match == nil {
			t.Errorf("%q does not name an option", line)
			continue
		}
		if _, ok := reflect.TypeFor[pool.Options]().FieldByName(match[1]); !ok {
			t.Errorf("%q names no field of the options", line)
		}
	}
}
