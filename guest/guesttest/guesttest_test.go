package guesttest_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/wasmpool/wasmpool/guest"
	"github.com/wasmpool/wasmpool/guest/guesttest"
)

func init() {
	guest.Export("id", func(ctx context.Context) uint64 {
		call, _ := guest.FromContext(ctx)
		return call.ID
	})
	guest.Export("rate", func(ctx context.Context, currency string) (rate float64, err error) {
		err = guest.Host(ctx, "rate", currency, &rate)
		return rate, err
	})
	guest.OnInit(func() error { return errors.New("not today") })
}

func TestHostRunsWhatItGrants(t *testing.T) {
	t.Parallel()
	host := guesttest.Host{Granted: map[string]func(context.Context, json.RawMessage) (any, error){
		"rate": func(_ context.Context, arguments json.RawMessage) (any, error) {
			if string(arguments) != `"EUR"` {
				return nil, errors.New("unknown currency")
			}
			return 1.25, nil
		},
	}}
	if got, err := host.Call(t, "rate", "EUR"); err != nil || string(got) != "1.25" {
		t.Errorf("rate(EUR) = %s, %v, want 1.25", got, err)
	}
	if _, err := host.Call(t, "rate", "XXX"); err == nil || err.Error() != "unknown currency" {
		t.Errorf("rate(XXX): %v, want unknown currency", err)
	}
}

func TestHostNumbersItsCallsAndServesThemConcurrently(t *testing.T) {
	t.Parallel()
	var host guesttest.Host
	var all [20]string
	var wg sync.WaitGroup
	for i := range all {
		wg.Go(func() {
			got, err := host.Call(t, "id")
			if err != nil {
				t.Error(err)
			}
			all[i] = string(got)
		})
	}
	wg.Wait()
	slices.Sort(all[:])
	if n := len(slices.Compact(all[:])); n != len(all) {
		t.Errorf("%d different numbers in %d calls: %q", n, len(all), all)
	}
}

func TestHostListsWhatIsExportedAndReportsAFailedInit(t *testing.T) {
	t.Parallel()
	var host guesttest.Host
	if got, want := host.Exported(t), []string{"id", "rate"}; !slices.Equal(got, want) {
		t.Errorf("exported %q, want %q", got, want)
	}
	if err := host.Init(t); err == nil || err.Error() != "Error: not today" {
		t.Errorf("init: %v, want not today", err)
	}
	if _, err := host.Call(t, "missing"); err == nil || err.Error() != `FunctionNotFound: no function "missing" is exported` {
		t.Errorf("missing: %v, want FunctionNotFound", err)
	}
}
