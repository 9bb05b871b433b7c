package subprocess

import (
	"testing"
	"testing/synctest"
)

// slowLine takes what it is given one batch after the other, as it is told.
type slowLine struct {
	line
	take chan struct{}
}

func (l *slowLine) offer(*batch) (bool, error) { return false, nil }

func (l *slowLine) push(*batch) error {
	<-l.take
	return nil
}

// TestWhoeverWaitsForRoomIsWokenWhileOthersGoOnAdding adds a frame before each
// batch is through, so that there always is something to write.
func TestWhoeverWaitsForRoomIsWokenWhileOthersGoOnAdding(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(*testing.T) {
		l := &slowLine{take: make(chan struct{})}
		o := newOutbox(l)
		add := func(bytes int) {
			b := o.open()
			b.buf = append(b.buf, make([]byte, bytes)...)
			o.close()
		}
		add(1)
		o.flush()
		add(1000)
		relieved := false
		go func() {
			o.relieve(100)
			relieved = true
		}()
		synctest.Wait()
		if relieved {
			t.Error("there was no room, and it did not wait")
		}
		l.take <- struct{}{} // then those 1000 are on their way
		synctest.Wait()
		if !relieved {
			t.Error("there is room, and it waits")
		}
		add(1)
		l.take <- struct{}{}
		l.take <- struct{}{}
		synctest.Wait()
	})
}
