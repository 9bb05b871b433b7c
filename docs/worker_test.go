package docs_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/wasmpool/wasmpool/pool"
)

func TestTheWorkerByHandWorks(t *testing.T) {
	t.Parallel()
	logged := make(chan pool.LogRecord, 8)
	p, err := pool.New(pool.Options{
		CacheDir: filepath.Join(t.TempDir(), "cache"),
		Logger:   slog.New(slog.DiscardHandler),
		Events:   pool.Events{Log: func(r pool.LogRecord) { logged <- r }},
		Host: map[string]pool.HostFunc{
			"clock": func(context.Context, []byte) ([]byte, error) { return []byte(`"noon"`), nil },
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	const module = "testdata/greet.wasm"
	for _, row := range []struct {
		function, args, want, wantErr string
	}{
		{"greet", `["world"]`, `"Hello, world"`, ""},
		{"greet", `["a \"b\""]`, `"Hello, a \"b\""`, ""},
		{"greet", `[]`, "", "ArgumentError"},
		{"greet", `[1234]`, "", "ArgumentError"},
		{"ask", `[]`, `"noon"`, ""},
		{"helper", `[]`, "", "FunctionNotFound"},
	} {
		got, err := p.CallRaw(t.Context(), module, row.function, []byte(row.args))
		var failed *pool.WorkerError
		if errors.As(err, &failed); string(got) != row.want || (failed == nil) != (row.wantErr == "") || failed != nil && failed.Name != row.wantErr {
			t.Errorf("%s(%s) = %s, %v; want %s, error named %q", row.function, row.args, got, err, row.want, row.wantErr)
		}
	}
	if r := <-logged; r.Message != "greeted" || r.Source != "guest" {
		t.Errorf("logged %q from %s, want \"greeted\" from guest", r.Message, r.Source)
	}
}
