//go:build !linux

package sandbox

import (
	"errors"
	"runtime"
)

// Here no layer can be had: those of this package are Linux's.

// Worker is a worker that has confined itself.
type Worker struct{}

// Confine reports that no layer is on.
func Confine(plan Plan) (*Worker, Report) {
	report := NewReport(plan.Layers)
	for _, l := range plan.Layers.Layers() {
		report.fail(l, "%s has no such layer", runtime.GOOS)
	}
	return &Worker{}, report
}

// Seal does nothing.
func (*Worker) Seal() error { return nil }

// Witness is what the parent has seen of a worker.
type Witness struct{}

// Watch returns the report as it is: there is nothing to confirm.
func Watch(_ int, _ Plan, claimed Report) (*Witness, Report) { return &Witness{}, claimed }

// Sealed returns nil.
func (*Witness) Sealed() error { return nil }

// Limited returns nil.
func (*Witness) Limited(int64) error { return nil }

// LimitAddresses does nothing.
func (*Worker) LimitAddresses(int64) error { return nil }

// Addresses is not known.
func Addresses(int) (int64, error) {
	return 0, errors.New("sandbox: the addresses of a process are known on Linux only")
}

// Group is a control group of one worker: there are none here.
type Group struct{}

// CheckGroups says that there are none.
func CheckGroups(string) error { return errors.New("cgroups are Linux's") }
