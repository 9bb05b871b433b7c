package main

import (
	"fmt"
	"html"
	"math"
	"strings"
	"time"
)

// The chart, in pixels: names on the left, bars from there, figures behind them.
const (
	chartWidth = 860
	barLeft    = 330
	barRight   = 780
	lineHeight = 20
	barHeight  = 13
)

// svg draws the medians as bars, on a logarithmic scale: between two lines is a
// factor of ten.
func svg(m machine, results []result) string {
	low, high := decades(results)
	at := func(d time.Duration) float64 {
		return barLeft + (barRight-barLeft)*(math.Log10(float64(max(d, 1)))-low)/(high-low)
	}
	var body strings.Builder
	y := 2 * lineHeight
	for _, group := range byWorkload(results) {
		y += lineHeight
		fmt.Fprintf(&body, `<text x="10" y="%d" font-weight="bold">%s</text>`+"\n", y, html.EscapeString(group[0].workload.name))
		for _, r := range group {
			y += lineHeight
			fmt.Fprintf(&body, `<text x="%d" y="%d" text-anchor="end">%s</text>`+"\n", barLeft-8, y, html.EscapeString(r.what))
			if r.err != nil {
				fmt.Fprintf(&body, `<text x="%d" y="%d" fill="#767676">not measured</text>`+"\n", barLeft+5, y)
				continue
			}
			fill := "#8c959f"
			if r.ours {
				fill = "#0969da"
			}
			fmt.Fprintf(&body, `<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/>`+"\n", barLeft, y-barHeight+2, at(r.p50)-barLeft, barHeight, fill)
			fmt.Fprintf(&body, `<text x="%.1f" y="%d">%s</text>`+"\n", at(r.p50)+5, y, html.EscapeString(short(r.p50)))
		}
	}
	bottom := y + lineHeight/2
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="12">`+"\n", chartWidth, bottom+2*lineHeight)
	b.WriteString("<title>Median time of a call, logarithmic</title>\n" + `<rect width="100%" height="100%" fill="#ffffff"/>` + "\n")
	fmt.Fprintf(&b, `<text x="10" y="%d" font-size="14">Median time of a call, logarithmic: shorter is quicker</text>`+"\n", lineHeight)
	for e := low; e <= high; e++ {
		x := at(time.Duration(math.Pow10(int(e))))
		fmt.Fprintf(&b, `<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="#d0d7de"/>`+"\n", x, 2*lineHeight, x, bottom)
		fmt.Fprintf(&b, `<text x="%.1f" y="%d" text-anchor="middle" fill="#57606a">%s</text>`+"\n", x, bottom+lineHeight*3/4, decade(int(e)))
	}
	b.WriteString(body.String())
	fmt.Fprintf(&b, `<text x="10" y="%d" font-size="10" fill="#57606a">%s</text>`+"\n</svg>\n", bottom+lineHeight*8/5,
		html.EscapeString(fmt.Sprintf("%s, %d cores, %s, %s, wasmpool %s", m.CPU, m.Cores, m.Kernel, m.Go, m.Commit)))
	return b.String()
}

// decades are the powers of ten, in nanoseconds, between which all bars end.
func decades(results []result) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, r := range results {
		if r.err == nil {
			e := math.Log10(float64(max(r.p50, 1)))
			low, high = min(low, math.Floor(e)), max(high, math.Ceil(e))
		}
	}
	if low > high {
		return 0, 1
	}
	return low, max(high, low+1)
}

// decade names a power of ten of nanoseconds.
func decade(exponent int) string {
	units := []string{"ns", "µs", "ms", "s"}
	unit := min(exponent/3, len(units)-1)
	return fmt.Sprintf("%.0f %s", math.Pow10(exponent-3*unit), units[unit])
}
