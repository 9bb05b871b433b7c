package spin

import (
	"testing"
	"testing/synctest"
	"time"
)

// after returns what becomes true when it was asked so many times.
func after(looks int) func() bool {
	return func() bool {
		looks--
		return looks < 0
	}
}

func never() bool { return false }

// script is a waiter in false time, in which only its yields take any.
func script(t *testing.T, w func(yield func()) *Waiter, play func(t *testing.T, w *Waiter, yields *int)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		yields := 0
		play(t, w(func() {
			yields++
			time.Sleep(time.Microsecond) //nolint:forbidigo // false time
		}), &yields)
	})
}

func alone(yield func()) *Waiter { return Alone(Limit, yield) }
func among(yield func()) *Waiter { return Among(Limit, yield) }

func TestAWaitEndsWhenItIsReady(t *testing.T) {
	script(t, alone, func(t *testing.T, w *Waiter, yields *int) {
		if !w.Wait(after(10)) || *yields != 0 {
			t.Errorf("it was not ready after 10 looks, or yielded: %d times", *yields)
		}
		if !w.Wait(after(eager+10)) || *yields == 0 {
			t.Errorf("it was not ready after %d looks, or did not yield: %d times", eager+10, *yields)
		}
	})
}

func TestWhoeverIsAmongOthersYieldsFirst(t *testing.T) {
	script(t, among, func(t *testing.T, w *Waiter, yields *int) {
		if !w.Wait(after(0)) || *yields != 1 {
			t.Errorf("it was not ready at once, or yielded %d times, want 1", *yields)
		}
	})
}

func TestAWaitIsBounded(t *testing.T) {
	for _, waiter := range []func(func()) *Waiter{alone, among} {
		t.Run("", func(t *testing.T) {
			script(t, waiter, func(t *testing.T, w *Waiter, _ *int) {
				begun := time.Now()
				if w.Wait(never) {
					t.Error("it is ready")
				}
				if took := time.Since(begun); took < Limit || took > Limit+2*yields*time.Microsecond {
					t.Errorf("it polled for %v, want %v", took, Limit)
				}
			})
		})
	}
}

func TestWhoeverIsNotToPollDoesNot(t *testing.T) {
	t.Parallel()
	for _, limit := range []time.Duration{0, -1} {
		for _, w := range []*Waiter{Alone(limit, nil), Among(limit, nil)} {
			if w.Wait(func() bool { t.Error("it looked"); return true }) {
				t.Error("it is ready")
			}
			w.Woke()
		}
	}
}

// TestPollingIsGivenUpWhereItDoesNotPay has waits that take long, until a wait does
// not poll; and then such that are short, although they are slept through.
func TestPollingIsGivenUpWhereItDoesNotPay(t *testing.T) {
	script(t, alone, func(t *testing.T, w *Waiter, yields *int) {
		wait := func(asleep time.Duration) (polled bool) {
			*yields = 0
			if w.Wait(never) {
				t.Error("it is ready")
			}
			time.Sleep(asleep) //nolint:forbidigo // false time
			w.Woke()
			return *yields > 0
		}
		for range trust {
			w.Wait(after(0))
		}
		tries := 0
		for wait(time.Second) {
			tries++
		}
		if tries == 0 || tries > trust {
			t.Errorf("it polled %d times in vain before it gave up, want at most %d", tries, trust)
		}
		for range 100 {
			if wait(time.Second) {
				t.Fatal("it polls although all waits take long")
			}
		}
		slept := 0
		for !wait(10 * time.Microsecond) {
			slept++
		}
		if slept > trust {
			t.Errorf("it slept through %d short waits before it polled again, want at most %d", slept, trust)
		}
	})
}
