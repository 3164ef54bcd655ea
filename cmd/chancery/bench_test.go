package main

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestMedianAndPercentile(t *testing.T) {
	for _, c := range []struct {
		values []float64
		median float64
	}{
		{[]float64{3}, 3}, {[]float64{4, 1}, 2.5}, {[]float64{9, 1, 5}, 5}, {[]float64{8, 2, 6, 4}, 5},
	} {
		if got := median(c.values); got != c.median {
			t.Errorf("median of %v: %v", c.values, got)
		}
	}
	var hundred timings
	for i := 100; i >= 1; i-- {
		hundred = append(hundred, time.Duration(i)*time.Millisecond)
	}
	for p, want := range map[float64]float64{0: 1, 1: 1, 50: 50, 99: 99, 99.5: 100, 100: 100} {
		if got := hundred.at(p); got != want {
			t.Errorf("p%v of 1 to 100 ms: %v", p, got)
		}
	}
	if got := hundred.mean(); got != 50.5 {
		t.Errorf("mean %v", got)
	}
	if none := timings(nil); none.at(50) != 0 || none.mean() != 0 {
		t.Error("no timings have no figures")
	}
}

func TestParseSize(t *testing.T) {
	for text, want := range map[string]int64{"1": 1, "4096": 4096, "64KiB": 64 << 10, "100MiB": 100 << 20, "4GiB": 4 << 30, "1024GiB": 1 << 40} {
		if got, err := parseSize(text); err != nil || got != want {
			t.Errorf("%s: %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "0", "0MiB", "-1", "1.5GiB", "1GB", "GiB", "1 MiB", "1025GiB", "99999999999999999999"} {
		if got, err := parseSize(text); err == nil {
			t.Errorf("%q is taken for %d", text, got)
		}
	}
}

// aReport has a line of every kind: met, missed, without baseline, failed.
func aReport() *benchReport {
	r := &benchReport{Command: `chancery bench "<all>" & more`, Rounds: 3, Seconds: 10}
	m := benchmark{name: "requests", lines: func(BenchOptions) []benchLine {
		return []benchLine{{What: "a", Target: atLeast(15)}, {What: "b", Target: atMost(1.2)}, {What: "c", Target: atMost(200)}, {What: "d", Target: atLeast(1)}}
	}}
	r.promise(m, BenchOptions{})
	r.fill(benchLine{Benchmark: "requests", What: "a", Ours: figureOf("x/s", []float64{30, 40, 60}), Than: "raw <x>", Baseline: figureOf("x/s", []float64{2, 2, 2})})
	r.fill(benchLine{Benchmark: "requests", What: "b", Ours: figureOf("ms", []float64{3, 5, 4}), Than: "raw", Baseline: figureOf("ms", []float64{2, 2, 2})})
	r.fill(benchLine{Benchmark: "requests", What: "c", Ours: figureOf("MiB", []float64{150})})
	return r
}

// TestReportDropsNothing: what was promised is there, measured or failed, and
// so is an error that no line carries.
func TestReportDropsNothing(t *testing.T) {
	r := aReport()
	r.settle("requests", errors.New("the peer is away"))
	verdicts := []string{"met", "MISSED", "met", "FAILED"}
	if len(r.Lines) != len(verdicts) {
		t.Fatalf("%d lines", len(r.Lines))
	}
	for i, l := range r.Lines {
		if l.verdict() != verdicts[i] {
			t.Errorf("%s: %s", l.What, l.verdict())
		}
	}
	if got := r.Lines[0].Ratio; got.Value != 20 || got.spread() != "15.0 to 30.0" {
		t.Errorf("ratio %v of %s", got, got.spread())
	}
	if r.Lines[3].Failed != "the peer is away" || len(r.failed()) != 1 {
		t.Errorf("failed: %v", r.failed())
	}
	r.promise(benchmark{name: "share", lines: func(BenchOptions) []benchLine { return nil }}, BenchOptions{})
	r.settle("share", errors.New("no end"))
	if failed := r.failed(); len(failed) != 2 || !strings.HasPrefix(failed[1], "share") {
		t.Errorf("failed: %v", failed)
	}
	var text, markdown bytes.Buffer
	r.write(&text)
	if err := r.markdown(&markdown); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"FAILED: the peer is away", "FAILED: no end", "≥ 15", "MISSED", "20.0"} {
		if !strings.Contains(text.String(), want) || !strings.Contains(markdown.String(), want) {
			t.Errorf("no %q in\n%s\n%s", want, text.String(), markdown.String())
		}
	}
}

// TestChartIsXML draws figures that no scale likes and names that are markup.
func TestChartIsXML(t *testing.T) {
	r := aReport()
	r.fill(benchLine{Benchmark: "odd", What: "nothing at all", Ours: figureOf("x/s", []float64{0}), Baseline: figureOf("x/s", []float64{0}), Than: "nothing"})
	r.settle("requests", errors.New("gone"))
	var out bytes.Buffer
	if err := r.chart(&out); err != nil {
		t.Fatal(err)
	}
	for decoder := xml.NewDecoder(bytes.NewReader(out.Bytes())); ; {
		_, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, out.String())
		}
	}
	if strings.Contains(out.String(), "NaN") || strings.Contains(out.String(), "Inf") {
		t.Errorf("not a number: %s", out.String())
	}
}

// TestClosedLoad keeps as many calls in flight as there are callers, no more.
func TestClosedLoad(t *testing.T) {
	var now, most atomic.Int64
	failing := errors.New("every fifth")
	load := closedLoad(t.Context(), 4, 100*time.Millisecond, func(_ context.Context, n int) error {
		most.Store(max(most.Load(), now.Add(1)))
		defer now.Add(-1)
		<-time.After(5 * time.Millisecond)
		if n%5 == 0 {
			return failing
		}
		return nil
	})
	if most.Load() > 4 || load.done == 0 || load.failed == 0 || !errors.Is(load.first, failing) || len(load.took) != load.done {
		t.Errorf("%d at most, %+v", most.Load(), load)
	}
	if load.took.at(0) < 5 || load.err() != nil {
		t.Errorf("the least took %v ms, %v", load.took.at(0), load.err())
	}
}

// TestOpenLoadCountsTheWait: where a call has to wait for room, that is part of
// how long it took.
func TestOpenLoadCountsTheWait(t *testing.T) {
	load := openLoad(t.Context(), 100, 100*time.Millisecond, 1, func(context.Context, int) error {
		<-time.After(30 * time.Millisecond)
		return nil
	})
	if load.done != 10 {
		t.Fatalf("%d calls", load.done)
	}
	// The last is due after 90 ms and begins after nine others of 30.
	if last := load.took.at(100); last < 190 {
		t.Errorf("the last took %v ms", last)
	}
}

func TestOpenLoadStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if load := openLoad(ctx, 1, time.Hour, 1, func(context.Context, int) error { return nil }); load.done > 0 || load.err() != nil {
		t.Errorf("%+v", load)
	}
}

func TestNumbersAreShort(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 0.8: "0.80", 1.152: "1.15", 15: "15.0", 99.96: "100.0", 12345.6: "12346"} {
		if got := number(v); got != want {
			t.Errorf("%v: %s", v, got)
		}
	}
	if got := ratios([]float64{4, 9, 1}, []float64{2, 0}); len(got) != 1 || math.Abs(got[0]-2) > 0 {
		t.Errorf("ratios %v", got)
	}
}
