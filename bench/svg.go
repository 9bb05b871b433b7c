package main

import (
	"fmt"
	"html"
	"math"
	"slices"
	"strings"
)

// chart is a kind of chart: bars of one quantity.
type chart struct {
	title string
	units [4]string // each a thousand of the one before; the first is that of the figures
	write func(float64) string
}

var timeChart = &chart{title: "Median time, logarithmic: shorter is quicker; blue is wasmpool", units: [4]string{"ns", "µs", "ms", "s"}, write: nanoseconds}

// A chart, in pixels: names on the left, bars from there, figures behind them.
const (
	chartWidth = 860
	barLeft    = 330
	barRight   = 780
	lineHeight = 20
	barHeight  = 13
)

// svg draws a chart for each quantity, one below the other, and says below them
// where that was measured.
func svg(m machine, results []result) string {
	var charts []*chart
	for _, r := range results {
		if c := r.table.chart; c != nil && !slices.Contains(charts, c) {
			charts = append(charts, c)
		}
	}
	var body strings.Builder
	y := 0
	for _, c := range charts {
		y = c.draw(&body, y, results)
	}
	y += lineHeight / 2
	fmt.Fprintf(&body, `<text x="10" y="%d" font-size="10" fill="#57606a">%s</text>`+"\n", y,
		html.EscapeString(fmt.Sprintf("%s, %d cores, %s, %s, wasmpool %s", m.CPU, m.Cores, m.Kernel, m.Go, m.Commit)))
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="12">`+"\n", chartWidth, y+lineHeight/2) +
		"<title>wasmpool beside its neighbours</title>\n" +
		"<style>text { paint-order: stroke; stroke: #fff; stroke-width: 3px }</style>\n" + // no line runs through a figure
		`<rect width="100%" height="100%" fill="#ffffff"/>` + "\n" + body.String() + "</svg>\n"
}

// draw draws the results of this chart as bars, on a logarithmic scale: between
// two lines is a factor of ten. It begins below top, and returns where it ends.
func (c *chart) draw(b *strings.Builder, top int, results []result) (bottom int) {
	low, high := c.decades(results)
	at := func(x float64) float64 {
		return barLeft + (barRight-barLeft)*(math.Log10(max(x, 1))-low)/(high-low)
	}
	var body strings.Builder
	y := top + 2*lineHeight
	for _, group := range byWorkload(results) {
		if group[0].table.chart != c {
			continue
		}
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
			x := at(r.value())
			fmt.Fprintf(&body, `<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/>`+"\n", barLeft, y-barHeight+2, x-barLeft, barHeight, fill)
			fmt.Fprintf(&body, `<text x="%.1f" y="%d">%s</text>`+"\n", x+5, y, html.EscapeString(c.write(r.value())))
		}
	}
	bottom = y + lineHeight/2
	fmt.Fprintf(b, `<text x="10" y="%d" font-size="14">%s</text>`+"\n", top+lineHeight, html.EscapeString(c.title))
	for e := low; e <= high; e++ {
		x := at(math.Pow10(int(e)))
		fmt.Fprintf(b, `<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="#d0d7de"/>`+"\n", x, top+2*lineHeight, x, bottom)
		fmt.Fprintf(b, `<text x="%.1f" y="%d" text-anchor="middle" fill="#57606a">%s</text>`+"\n", x, bottom+lineHeight*3/4, c.decade(int(e)))
	}
	b.WriteString(body.String())
	return bottom + 2*lineHeight
}

// decades are the powers of ten between which all bars end.
func (c *chart) decades(results []result) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, r := range results {
		if r.table.chart == c && r.err == nil {
			e := math.Log10(max(r.value(), 1))
			low, high = min(low, math.Floor(e)), max(high, math.Ceil(e))
		}
	}
	if low > high {
		return 0, 1
	}
	return low, max(high, low+1)
}

// decade names a power of ten.
func (c *chart) decade(exponent int) string {
	unit := min(exponent/3, len(c.units)-1)
	return fmt.Sprintf("%.0f %s", math.Pow10(exponent-3*unit), c.units[unit])
}
