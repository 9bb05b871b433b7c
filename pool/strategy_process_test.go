package pool_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmpool/wasmpool/pool"
)

// TestTwelveCallsAtOnceOnThreeProcesses holds how many of twelve calls that do
// not end each of three processes gets, cold and warm.
func TestTwelveCallsAtOnceOnThreeProcesses(t *testing.T) {
	t.Parallel()
	for _, strategy := range []pool.Strategy{pool.Fewest, pool.Fill, pool.RoundRobin} {
		for _, min := range []int{0, 3} {
			t.Run(strategy.String()+map[int]string{0: " cold", 3: " warm"}[min], func(t *testing.T) {
				t.Parallel()
				release := make(chan struct{})
				var once sync.Once
				free := func() { once.Do(func() { close(release) }) }
				defer free()
				p := start(t, pool.Options{
					Min: min, Max: 3, Strategy: strategy, Full: 2, Preload: []string{"echo"},
					Host: map[string]pool.HostFunc{"hold": func(ctx context.Context, _ []byte) ([]byte, error) {
						select {
						case <-release:
						case <-ctx.Done():
						}
						return []byte("1"), nil
					}},
				})
				var all sync.WaitGroup
				for range 12 {
					all.Go(func() {
						if _, err := p.Call(within(t), "echo", "host", "hold", ""); err != nil {
							t.Error(err)
						}
					})
				}
				var got []int
				for deadline := within(t); deadline.Err() == nil; {
					s := p.Stats()
					if s.Waiting+s.Running < 12 || s.Running < 3 {
						continue // they are still coming
					}
					for _, w := range s.Workers {
						got = append(got, w.Calls)
					}
					break
				}
				slices.Sort(got)
				if diff := cmp.Diff([]int{4, 4, 4}, got); diff != "" {
					t.Errorf("calls of each process (-want +got):\n%s", diff)
				}
				free()
				all.Wait()
				served := 0
				for _, w := range p.Stats().Workers {
					served += w.Served
				}
				if served != 12 {
					t.Errorf("%d calls were served, want 12", served)
				}
			})
		}
	}
}
