package pool_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/wasmpool/wasmpool/pool"
)

// Calls made in one instant, or while workers start, are dealt as the same calls
// one after the other: they do not all land on one worker, and fill heeds Full.
func TestTwelveCallsAtOnceAreDealtByTheRule(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		strategy pool.Strategy
		shares   map[int][]int // by the number of calls
	}{
		{pool.Fewest, map[int][]int{1: {1}, 2: {1, 1}, 3: {1, 1, 1}, 6: {2, 2, 2}, 7: {3, 2, 2}, 12: {4, 4, 4}}},
		{pool.RoundRobin, map[int][]int{3: {1, 1, 1}, 4: {2, 1, 1}, 6: {2, 2, 2}, 12: {4, 4, 4}}},
		{pool.Fill, map[int][]int{1: {1}, 2: {2}, 3: {2, 1}, 4: {2, 2}, 6: {2, 2, 2}, 7: {3, 2, 2}, 9: {3, 3, 3}, 12: {4, 4, 4}}},
	} {
		o := pool.Options{Max: 3, Strategy: row.strategy, Full: 2}
		warm := o
		warm.Min, warm.Preload = 3, []string{"a"}
		for calls, shares := range row.shares {
			t.Run(fmt.Sprintf("%v, %d calls, cold", row.strategy, calls), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					cold := o
					cold.Launcher = oneByOne(10 * time.Millisecond)
					b := newBench(t, cold)
					b.dealt(b.inTurn(calls, "hold"), shares)
				})
			})
			t.Run(fmt.Sprintf("%v, %d calls, warm", row.strategy, calls), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					b := newBench(t, warm)
					b.dealt(b.inTurn(calls, "hold"), append(slices.Clone(shares), 0, 0)[:3])
				})
			})
		}
		for name, o := range map[string]pool.Options{"cold": o, "warm": warm} {
			t.Run(fmt.Sprintf("%v, from 12 goroutines, %s", row.strategy, name), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					b := newBench(t, o)
					b.dealt(b.calls(12, "hold"), []int{4, 4, 4})
				})
			})
		}
	}
}

// dealt looks where calls are, whose replies are held, when all workers are up.
func (b *bench) dealt(calls []*call, shares []int) {
	b.t.Helper()
	pass(time.Second)
	wantEqual(b.t, "calls in the workers", b.shares(), shares)
	b.open()
	for _, c := range calls {
		c.ok()
	}
}

// Sequential calls never use a second process, whatever the strategy.
func TestCallsOneAfterTheOtherUseOneWorker(t *testing.T) {
	t.Parallel()
	for strategy := pool.Fewest; strategy <= pool.Random; strategy++ {
		t.Run(strategy.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := newBench(t, pool.Options{Max: 5, Strategy: strategy, Full: 1})
				for range 20 {
					b.do("work", time.Second)
				}
				b.wantLaunched(1)
			})
		})
	}
}

// Among idle workers fewest and fill take the first in order, always; round-robin
// takes them strictly in turn, the first one no more often than the others.
func TestIdleWorkersAreTakenInTheirOrder(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		strategy pool.Strategy
		order    []int
	}{
		{pool.Fewest, []int{1, 1, 1, 1, 1, 1, 1, 1}},
		{pool.Fill, []int{1, 1, 1, 1, 1, 1, 1, 1}},
		{pool.RoundRobin, []int{1, 2, 3, 1, 2, 3, 1, 2}},
	} {
		t.Run(row.strategy.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := newBench(t, pool.Options{Min: 3, Preload: []string{"a"}, Strategy: row.strategy})
				wantEqual(t, "the workers that answered", b.order(8), row.order)
			})
		})
	}
}

// fewest: the least outstanding one, ties to the first; idle workers that run
// are preferred to starting one.
func TestFewestPrefersAnIdleWorkerToANewOne(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Min: 2, Max: 4, Preload: []string{"a"}})
		b.calls(2, "hold")
		wantEqual(t, "calls in the workers", b.shares(), []int{1, 1})
		b.calls(1, "hold") // all are busy: another is started
		wantEqual(t, "calls in the workers", b.shares(), []int{1, 1, 1})
		b.open()
	})
}

// fill: the prestarted worker is filled first, before others are started; when
// all are full, the least full one gets the next, beyond Full.
func TestFillFillsThePrestartedWorkerFirst(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Min: 1, Max: 2, Strategy: pool.Fill, Full: 10})
		prestarted := b.alive()[0]
		b.calls(10, "hold")
		b.wantLaunched(1)
		want(t, "calls with the prestarted worker", prestarted.Has(), 10)
		b.calls(10, "hold")
		wantEqual(t, "calls in the workers", b.shares(), []int{10, 10})
		b.calls(3, "hold")
		wantEqual(t, "calls in the workers", b.shares(), []int{12, 11})
		b.open()
	})
}

// A thousand calls at once use all the workers there may be, evenly.
func TestAThousandCallsAreSharedByAllWorkers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Min: 1, Max: 5, Strategy: pool.Fill, Full: 10})
		served := func() (n []int) {
			for _, w := range b.launcher.Workers() {
				n = append(n, w.Served())
			}
			return n
		}
		cs := b.calls(1000, "work", time.Millisecond)
		for _, c := range cs {
			c.ok()
		}
		wantEqual(t, "calls answered by the workers", served(), []int{200, 200, 200, 200, 200})
	})
}

// random: every idle worker as likely as the others, and the same seed deals the
// same calls again.
func TestRandomIsUniformAndRepeatable(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const calls = 3000
		deal := func(seed uint64) []int {
			b := newBench(t, pool.Options{Strategy: pool.Random, Seed: seed})
			for i := range 3 { // the order in which they become idle is to be the same
				b.inTurn(1, "work", time.Duration(i+1)*time.Second)
			}
			pass(4 * time.Second)
			return b.order(calls)
		}
		first := deal(42)
		count := map[int]int{}
		for _, id := range first {
			count[id]++
		}
		for id := 1; id <= 3; id++ {
			// 1,000 are expected; 150 are more than five standard deviations.
			if n := count[id]; n < 850 || n > 1150 {
				t.Errorf("worker %d got %d of %d calls", id, n, calls)
			}
		}
		if !slices.Equal(first, deal(42)) {
			t.Error("the same seed deals otherwise")
		}
		if slices.Equal(first, deal(43)) {
			t.Error("another seed deals alike")
		}
	})
}

// random prefers what is idle, as all strategies do; the rest is by lot.
func TestRandomGivesNoCallToABusyWorkerBesideAnIdleOne(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Min: 3, Preload: []string{"a"}, Strategy: pool.Random})
		b.calls(3, "hold")
		wantEqual(t, "calls in the workers", b.shares(), []int{1, 1, 1})
		b.calls(9, "hold")
		sum := 0
		for _, n := range b.shares() {
			sum += n
		}
		want(t, "the sum of calls in the workers", sum, 12)
		b.open()
	})
}

// No call waits behind a busy worker while another of its module is idle: what
// was sent ahead, and has not begun, moves.
func TestWaitingCallsMoveToTheWorkerThatIsIdle(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Min: 2, Max: 2, Preload: []string{"a"}})
		long := b.calls(1, "work", time.Hour)[0]
		short := b.inTurn(10, "work", time.Second)
		var times, seconds []time.Duration
		for i, c := range short {
			c.ok()
			times, seconds = append(times, c.took), append(seconds, time.Duration(i+1)*time.Second)
		}
		slices.Sort(times)
		wantEqual(t, "the times of the short calls", times, seconds)
		want(t, "the long call is over", long.over(), false)
		var pids [2]int
		if err := json.Unmarshal(long.ok(), &pids[0]); err != nil {
			t.Error(err)
		}
		if err := json.Unmarshal(short[9].ok(), &pids[1]); err != nil {
			t.Error(err)
		}
		if pids[0] == pids[1] {
			t.Error("a short call was run by the worker that was busy for an hour")
		}
	})
}
