package main

import (
	"fmt"
	"strconv"
	"time"
)

// none stands for a figure that there is not.
const none = "–"

// short writes a duration with three digits that count.
func short(d time.Duration) string {
	switch {
	case d >= time.Second:
		return digits(d.Seconds()) + " s"
	case d >= time.Millisecond:
		return digits(d.Seconds()*1e3) + " ms"
	case d >= time.Microsecond:
		return digits(d.Seconds()*1e6) + " µs"
	}
	return strconv.FormatInt(int64(d), 10) + " ns"
}

// digits writes a number with three digits that count, or all before the point.
func digits(x float64) string {
	switch {
	case x < 9.995:
		return fmt.Sprintf("%.2f", x)
	case x < 99.95:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.0f", x)
}

// whole writes a number without its fraction, and with commas.
func whole(x float64) string {
	s := strconv.FormatFloat(x, 'f', 0, 64)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
