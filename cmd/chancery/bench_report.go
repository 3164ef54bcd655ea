package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// benchReport is what the benchmarks print.
type benchReport struct {
	Date    time.Time    `json:"date"`
	Command string       `json:"command"`
	Machine benchMachine `json:"machine"`
	Network string       `json:"network,omitempty"` // departments and block settings
	Seconds int          `json:"seconds"`           // of load a turn
	Rounds  int          `json:"rounds"`
	Lines   []benchLine  `json:"lines"`
	Loads   []loadLine   `json:"loads,omitempty"` // of the benchmark fabric
	Notes   []string     `json:"notes,omitempty"`
	Elapsed millis       `json:"elapsedMs"`
}

// benchLine is one comparison.
type benchLine struct {
	Benchmark string  `json:"benchmark"`
	What      string  `json:"what"`
	Ours      *figure `json:"ours,omitempty"`
	Than      string  `json:"than,omitempty"`     // what the baseline is
	Baseline  *figure `json:"baseline,omitempty"` // in the same unit
	Ratio     *figure `json:"ratio,omitempty"`    // ours ÷ baseline: the median of each round's
	Target    *target `json:"target,omitempty"`
	Met       *bool   `json:"met,omitempty"`
	Detail    string  `json:"detail,omitempty"`
	Failed    string  `json:"failed,omitempty"` // why there is no figure
}

// target is what a line's ratio, or its own figure where it has no baseline,
// shall be.
type target struct {
	AtMost bool    `json:"atMost"` // else at least
	Value  float64 `json:"value"`
}

func atLeast(v float64) *target { return &target{Value: v} }
func atMost(v float64) *target  { return &target{AtMost: true, Value: v} }

func (t *target) String() string {
	switch {
	case t == nil:
		return ""
	case t.AtMost:
		return "≤ " + number(t.Value)
	}
	return "≥ " + number(t.Value)
}

func (t *target) holds(v float64) bool {
	if t.AtMost {
		return v <= t.Value
	}
	return v >= t.Value
}

// begin notes when, where and how.
func (r *benchReport) begin(o BenchOptions) {
	r.Date, r.Seconds, r.Rounds = time.Now().UTC().Truncate(time.Second), o.Seconds, o.Rounds
	r.Command = strings.Join(append([]string{"chancery"}, os.Args[1:]...), " ")
	r.Machine = thisMachine()
}

// promise takes up a benchmark's lines, so that none is missing at the end.
func (r *benchReport) promise(m benchmark, o BenchOptions) {
	for _, l := range m.lines(o) {
		l.Benchmark = m.name
		r.Lines = append(r.Lines, l)
	}
}

// fill gives a promised line its figures. A line that was not promised is added
// after its benchmark's others.
func (r *benchReport) fill(l benchLine) {
	at := len(r.Lines)
	for i, have := range r.Lines {
		if have.Benchmark == l.Benchmark {
			at = i + 1
		}
		if have.Benchmark == l.Benchmark && have.What == l.What {
			if l.Target == nil {
				l.Target = have.Target
			}
			l.judge()
			r.Lines[i] = l
			return
		}
	}
	l.judge()
	r.Lines = append(r.Lines[:at], append([]benchLine{l}, r.Lines[at:]...)...)
}

// judge compares a line with its target.
func (l *benchLine) judge() {
	if l.Ours != nil && l.Baseline != nil && l.Ratio == nil {
		l.Ratio = figureOf("", ratios(l.Ours.Rounds, l.Baseline.Rounds))
	}
	judged := l.Ratio
	if l.Baseline == nil {
		judged = l.Ours
	}
	if l.Target == nil || judged == nil {
		return
	}
	met := l.Target.holds(judged.Value)
	l.Met = &met
}

// settle calls failed what a benchmark promised and did not fill. An error that
// no figure carries gets a line of its own.
func (r *benchReport) settle(name string, err error) {
	why, carried := "not measured", err == nil
	if err != nil {
		why = err.Error()
	}
	for i := range r.Lines {
		l := &r.Lines[i]
		if l.Benchmark == name && l.Ours == nil && l.Failed == "" {
			l.Failed = why
		}
		carried = carried || l.Benchmark == name && l.Failed != ""
	}
	for _, l := range r.Loads {
		carried = carried || name == fabricName && l.Failed != ""
	}
	if !carried {
		r.fill(benchLine{Benchmark: name, What: "to its end", Failed: why})
	}
}

// failed names the figures that are missing.
func (r *benchReport) failed() (names []string) {
	for _, l := range r.Lines {
		if l.Failed != "" {
			names = append(names, l.Benchmark+": "+l.What)
		}
	}
	for _, l := range r.Loads {
		if l.Failed != "" {
			names = append(names, fabricName+": "+l.name())
		}
	}
	return names
}

// verdict of a line, in one word.
func (l *benchLine) verdict() string {
	switch {
	case l.Failed != "":
		return "FAILED"
	case l.Met == nil:
		return ""
	case *l.Met:
		return "met"
	}
	return "MISSED"
}

func (l *benchLine) cells() []string {
	return []string{l.Benchmark, l.What, l.Ours.String(), l.Than, l.Baseline.String(), l.Ratio.String(), l.Ratio.spread(), l.Target.String(), l.verdict()}
}

var lineHead = []string{"BENCHMARK", "WHAT", "OURS", "BASELINE", "ITS FIGURE", "RATIO", "OF ROUNDS", "TARGET", "VERDICT"}

func (r *benchReport) write(w io.Writer) {
	fmt.Fprintf(w, "%s\n%s\n%s\n", clock(r.Date), r.Machine, r.Command)
	if r.Network != "" {
		fmt.Fprintln(w, r.Network)
	}
	fmt.Fprintf(w, "Medians of %s of %d s of load each, ours and baseline in turns; all of it took %s.\n\n", count(r.Rounds, "round"), r.Seconds, r.Elapsed)
	if len(r.Lines) > 0 {
		t := newTable(lineHead...)
		for _, l := range r.Lines {
			t.add(l.cells()...)
		}
		t.write(w)
	}
	if len(r.Loads) > 0 {
		fmt.Fprintln(w, "\nThe network itself, with the workers stopped where it is the benchmark's own:")
		t := newTable(loadHead...)
		for _, l := range r.Loads {
			t.add(l.cells()...)
		}
		t.write(w)
	}
	for _, remark := range r.remarks() {
		fmt.Fprintf(w, "\n%s\n", remark)
	}
}

// remarks are the lines' details and failures, and the notes.
func (r *benchReport) remarks() (list []string) {
	for _, l := range r.Lines {
		switch {
		case l.Failed != "":
			list = append(list, fmt.Sprintf("%s, %s: FAILED: %s", l.Benchmark, l.What, l.Failed))
		case l.Detail != "":
			list = append(list, fmt.Sprintf("%s, %s: %s", l.Benchmark, l.What, l.Detail))
		}
	}
	for _, l := range r.Loads {
		if l.Failed != "" {
			list = append(list, fmt.Sprintf("%s, %s: FAILED: %s", fabricName, l.name(), l.Failed))
		}
	}
	return append(list, r.Notes...)
}
