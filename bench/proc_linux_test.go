package main

import (
	"os"
	"os/exec"
	"slices"
	"testing"
)

func TestTheKernelTellsOfThisProcessAndItsChildren(t *testing.T) {
	t.Parallel()
	child := exec.CommandContext(t.Context(), "cat")
	to, _, err := startPiped(child)
	if err != nil {
		t.Fatal(err)
	}
	pids, err := children(os.Getpid())
	if err != nil || !slices.Contains(pids, child.Process.Pid) {
		t.Errorf("the children are %v, %v, want %d among them", pids, err, child.Process.Pid)
	}
	mine, err := pss([]int{os.Getpid()})
	both, err2 := pss([]int{os.Getpid(), child.Process.Pid})
	if err != nil || err2 != nil || mine <= 0 || both <= mine {
		t.Errorf("the memory is %.0f, %v, and with a child %.0f, %v", mine, err, both, err2)
	}
	if ran, err := processorTime([]int{os.Getpid()}); err != nil || ran <= 0 {
		t.Errorf("the processor time is %v, %v", ran, err)
	}
	if err := to.Close(); err != nil {
		t.Error(err)
	}
	if err := child.Wait(); err != nil {
		t.Error(err)
	}
}

func TestAProcessThatIsNotThereIsAnError(t *testing.T) {
	t.Parallel()
	const nobody = 1 << 30 // above the greatest that Linux gives
	if _, err := pss([]int{nobody}); err == nil {
		t.Error("its memory is told")
	}
	if _, err := processorTime([]int{nobody}); err == nil {
		t.Error("its processor time is told")
	}
	if _, err := children(nobody); err == nil {
		t.Error("its children are told")
	}
}
