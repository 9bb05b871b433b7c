//go:build linux || darwin

package subprocess

import (
	"errors"
	"testing"
	"time"
)

func TestAStartThatIsHeldUpFailsInTimeAndTheNextOneWorks(t *testing.T) {
	held, release := make(chan struct{}), make(chan struct{})
	late := make(chan string, 1)
	for taken := false; !taken; { // on a loaded machine it may not be taken in time
		_, err := onSpawner(10*time.Millisecond, func() (string, error) {
			close(held)
			<-release
			return "too late", nil
		}, func(s string) { late <- s })
		if !errors.Is(err, errSpawnerBusy) {
			t.Fatalf("onSpawner = %v, want %v", err, errSpawnerBusy)
		}
		select {
		case <-held:
			taken = true
		default:
		}
	}
	o := Options{Name: "worker", StartTimeout: 10 * time.Millisecond}
	if _, err := Start(t.Context(), o, newRecorder()); !errors.Is(err, errSpawnerBusy) {
		t.Errorf("Start = %v, want %v", err, errSpawnerBusy)
	}
	close(release)
	if got := <-late; got != "too late" {
		t.Errorf("%q was given to the one who tidies up, want what came too late", got)
	}
	start(t, newRecorder(), 1)
}
