package main

import (
	"cmp"
	_ "embed"
	"fmt"
	"io"
	"text/template"
)

//go:embed bench_chart.svg.tmpl
var chartTemplate string

// Measures of the chart, in its own units.
const (
	chartWidth = 1080
	chartLeft  = 30  // of the bars
	chartBar   = 640 // the longest bar
	chartRow   = 76  // height of one comparison
	chartTop   = 92
)

// chartPair is one comparison in the chart: two bars, the longer one of full
// length, since each pair has a unit of its own.
type chartPair struct {
	Y                int
	Title            string
	Ours, Baseline   string // figures with their names
	OursLong, ItLong float64
	Ratio, Target    string
	Verdict, Colour  string
}

// chart draws every line that has a baseline, and those that failed.
func (r *benchReport) chart(w io.Writer) error {
	var pairs []chartPair
	for _, l := range r.Lines {
		if l.Baseline == nil && l.Failed == "" {
			continue
		}
		p := chartPair{Y: chartTop + len(pairs)*chartRow, Title: l.Benchmark + ": " + l.What, Verdict: l.verdict(), Colour: "#555"}
		switch p.Verdict {
		case "met":
			p.Colour = "#1a7f37"
		case "MISSED", "FAILED":
			p.Colour = "#b42318"
		}
		if l.Failed == "" {
			longest := cmp.Or(max(l.Ours.Value, l.Baseline.Value), 1)
			p.OursLong, p.ItLong = chartBar*l.Ours.Value/longest, chartBar*l.Baseline.Value/longest
			p.Ours, p.Baseline = "ours "+l.Ours.String(), l.Than+" "+l.Baseline.String()
			p.Ratio = "× " + l.Ratio.String()
		}
		if l.Target != nil {
			p.Target = "target " + l.Target.String()
		}
		pairs = append(pairs, p)
	}
	t, err := template.New("chart").Funcs(template.FuncMap{
		"add":  func(a, b int) int { return a + b },
		"long": func(v float64) string { return fmt.Sprintf("%.1f", max(v, 1)) },
	}).Parse(chartTemplate)
	if err != nil {
		return err
	}
	return t.Execute(w, map[string]any{
		"Width": chartWidth, "Height": chartTop + max(len(pairs), 1)*chartRow + 10, "Left": chartLeft, "Right": chartLeft + chartBar + 30,
		"Machine": r.Machine.String(), "Date": clock(r.Date), "Command": r.Command, "Pairs": pairs,
	})
}
