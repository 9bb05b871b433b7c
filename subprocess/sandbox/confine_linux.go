package sandbox

import (
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Worker is a worker that has confined itself. The zero Worker is one without a
// wall.
type Worker struct {
	plan       Plan
	unfiltered bool // this machine has no filters of system calls
}

// Confine is the worker's own part of the wall, before it meets anything of a
// module: it tries what the layers that are built must refuse, gives up what
// only starting needed, and filters its system calls. The report says of each
// layer of the plan that can be tried here whether it holds.
func Confine(plan Plan) (*Worker, Report) {
	w, report := &Worker{plan: plan}, NewReport(plan.Layers)
	// An exec that changes who one is clears this.
	_ = unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(syscall.SIGKILL), 0, 0, 0)
	if plan.Layers.Has(Opaque) {
		if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
			report.fail(Opaque, "prctl PR_SET_DUMPABLE: %v", err)
		}
	}
	for _, l := range plan.Layers.Without(1 << Syscalls).Layers() {
		report.try(l, plan)
	}
	if plan.Layers.Has(Syscalls) {
		if err := filter(plan, false); err != nil {
			w.unfiltered = true
			report.fail(Syscalls, "%v", err)
			report.fail(Code, "it is a filter of system calls too: %v", err)
		} else {
			report.try(Syscalls, plan)
		}
	}
	return w, report
}

// try notes a layer as off when what it must refuse succeeds.
func (r Report) try(l Layer, plan Plan) {
	if probe := probes[l]; probe != nil {
		if open := probe(plan); open != "" {
			r.fail(l, "%s", open)
		}
	}
}

// Seal is called when the module is compiled and nothing of it has run: from
// now on there is no new machine code, and no file but in granted directories.
func (w *Worker) Seal() error {
	if !w.plan.Layers.Has(Code) {
		return nil
	}
	// Linux 6.3 and later; before, the filter alone does it.
	_ = unix.Prctl(unix.PR_SET_MDWE, unix.PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0)
	if w.unfiltered {
		return nil // as it has reported
	}
	if err := filter(w.plan, true); err != nil {
		return fmt.Errorf("sandbox: seal: %w", err)
	}
	return nil
}

// filter installs the filter of system calls for a time of the worker's life.
// A later one cannot allow what an earlier one refuses.
func filter(plan Plan, sealed bool) error {
	if !sealed || !plan.Layers.Has(Syscalls) { // the first filter is what asks for it, and refuses to be asked again
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return fmt.Errorf("prctl PR_SET_NO_NEW_PRIVS: %w", err)
		}
	}
	p := policy{sealed: sealed, deadly: plan.Deadly, pid: os.Getpid()}
	p.files, p.writes = plan.files()
	otherwise := verdictRefuse
	if p.deadly {
		otherwise = verdictKill
	}
	return install(p.rules(), otherwise)
}
