package sched

import "time"

// timer is something to be done at a time. It is embedded in what it is about,
// so that arming one allocates nothing.
type timer struct {
	at    time.Duration
	index int // in timers, plus 1; zero: not armed
	call  *Call
	work  *Worker
	mod   *Module
}

// timers is a heap of armed timers, the next one on top.
type timers []*timer

func (ts *timers) arm(t *timer, at time.Duration) {
	t.at = at
	if t.index == 0 {
		*ts = append(*ts, t)
		t.index = len(*ts)
	}
	ts.fix(t.index - 1)
}

func (ts *timers) disarm(t *timer) {
	if t.index == 0 {
		return
	}
	i, last := t.index-1, len(*ts)-1
	ts.swap(i, last)
	(*ts)[last] = nil
	*ts = (*ts)[:last]
	t.index = 0
	if i < last {
		ts.fix(i)
	}
}

// due takes out the next timer that is due, or returns nil.
func (ts *timers) due(now time.Duration) *timer {
	if len(*ts) == 0 || (*ts)[0].at > now {
		return nil
	}
	t := (*ts)[0]
	ts.disarm(t)
	return t
}

func (ts *timers) fix(i int) {
	h := *ts
	for i > 0 && h[i].at < h[(i-1)/2].at {
		ts.swap(i, (i-1)/2)
		i = (i - 1) / 2
	}
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(h); child++ {
			if h[child].at < h[least].at {
				least = child
			}
		}
		if least == i {
			return
		}
		ts.swap(i, least)
		i = least
	}
}

func (ts *timers) swap(i, j int) {
	h := *ts
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i+1, j+1
}
