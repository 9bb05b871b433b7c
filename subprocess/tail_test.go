package subprocess

import (
	"fmt"
	"strings"
	"testing"
)

func TestTheBeginningAndTheEndOfStandardErrorAreKept(t *testing.T) {
	t.Parallel()
	all := func(n int) string {
		var b strings.Builder
		for i := 0; b.Len() < n; i++ {
			fmt.Fprintf(&b, "%d,", i)
		}
		return b.String()[:n]
	}
	const most = headBytes + tailBytes
	for _, n := range []int{0, 1, headBytes, headBytes + 1, most - 1, most} {
		for _, step := range []int{1, 7, most} {
			if got := said(all(n), step); got != all(n) {
				t.Errorf("%d bytes, %d at a time: %d bytes are kept, want all", n, step, len(got))
			}
		}
	}
	for _, n := range []int{most + 1, 2 * most, 100_000} {
		text := all(n)
		want := fmt.Sprintf("%s\n… %d bytes …\n%s", text[:headBytes], n-most, text[n-tailBytes:])
		for _, step := range []int{1, 1000, n} {
			if got := said(text, step); got != want {
				t.Errorf("%d bytes, %d at a time: %q … %q is kept, want %q … %q", n, step, got[:20], got[len(got)-20:], want[:20], want[len(want)-20:])
			}
		}
	}
}

// said is what is kept of a text that comes in pieces.
func said(text string, step int) string {
	var kept tail
	for len(text) > 0 {
		n := min(step, len(text))
		_, _ = kept.Write([]byte(text[:n])) // never fails
		text = text[n:]
	}
	return kept.String()
}
