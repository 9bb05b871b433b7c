package sandbox

import "testing"

func TestReasonsAreSaidOnceForLayersThatHaveThemInCommon(t *testing.T) {
	const none, old = "there are no namespaces", "the kernel is old"
	for _, row := range []struct {
		want   string
		states []State
	}{
		{"", nil},
		{"landlock (" + old + ")", []State{{Layer: Landlock, Why: old}}},
		{"pid, net (" + none + ")", []State{{Layer: PID, Why: none}, {Layer: Net, Why: none}}},
		{"pid, net (" + none + "); landlock (" + old + ")", []State{{Layer: PID, Why: none}, {Layer: Net, Why: none}, {Layer: Landlock, Why: old}}},
	} {
		if got := Reasons(row.states); got != row.want {
			t.Errorf("Reasons = %q, want %q", got, row.want)
		}
	}
}
