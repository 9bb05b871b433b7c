package subprocess

import "time"

// untilKicked is a time to wait that only a kick ends.
const untilKicked time.Duration = -1

// alarm is what a keeper waits on. In a child it is the kernel's, since Go's
// timers may stand still there; elsewhere it is a timer of Go, which a test can
// run with false time.
type alarm interface {
	// wait lets d pass and reports true, or less when it was kicked, also before
	// it began, or for no reason.
	wait(d time.Duration) (whole bool)

	// kick ends a wait: the one that is under way, or else the next one.
	kick()
}

// timerAlarm is an alarm by Go's own means.
type timerAlarm struct {
	timer  *time.Timer
	kicked chan struct{}
}

func newTimerAlarm() *timerAlarm {
	a := &timerAlarm{timer: time.NewTimer(time.Hour), kicked: make(chan struct{}, 1)}
	a.timer.Stop()
	return a
}

func (a *timerAlarm) wait(d time.Duration) (whole bool) {
	if d == untilKicked {
		<-a.kicked
		return false
	}
	a.timer.Reset(d)
	select {
	case <-a.timer.C:
		return true
	case <-a.kicked:
		a.timer.Stop()
		return false
	}
}

func (a *timerAlarm) kick() {
	select {
	case a.kicked <- struct{}{}:
	default: // one is on its way
	}
}
