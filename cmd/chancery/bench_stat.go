package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// figure is a measured number: the median of its rounds.
type figure struct {
	Value  float64   `json:"value"`
	Unit   string    `json:"unit"`
	Rounds []float64 `json:"rounds,omitempty"`
}

// figureOf is the median of rounds; none at all is no figure.
func figureOf(unit string, rounds []float64) *figure {
	if len(rounds) == 0 {
		return nil
	}
	return &figure{Value: median(rounds), Unit: unit, Rounds: rounds}
}

// String writes the number with three or four digits that count, and its unit.
func (f *figure) String() string {
	if f == nil {
		return ""
	}
	return strings.TrimSpace(number(f.Value) + " " + f.Unit)
}

// spread is the least and the most of the rounds.
func (f *figure) spread() string {
	if f == nil || len(f.Rounds) < 2 {
		return ""
	}
	return number(slices.Min(f.Rounds)) + " to " + number(slices.Max(f.Rounds))
}

// number writes a number with as many decimals as tell something.
func number(v float64) string {
	switch magnitude := math.Abs(v); {
	case magnitude >= 100 || v == 0:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case magnitude >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// median of at least one number: of an even count the mean of the middle two.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// ratios divides each number of one list by that of the other at its place.
func ratios(over, under []float64) []float64 {
	var list []float64
	for i := range min(len(over), len(under)) {
		if under[i] != 0 {
			list = append(list, over[i]/under[i])
		}
	}
	return list
}

// percentile is the least number that p percent of a sorted list do not exceed
// (nearest rank); 0 of an empty list.
func percentile[T cmp.Ordered](sorted []T, p float64) T {
	var none T
	if len(sorted) == 0 {
		return none
	}
	rank := int(math.Ceil(p / 100 * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1]
}

// timings are how long things took, in no order.
type timings []time.Duration

// at is a percentile in milliseconds.
func (t timings) at(p float64) float64 {
	return milliseconds(percentile(slices.Sorted(slices.Values(t)), p))
}

// mean in milliseconds; 0 of none.
func (t timings) mean() float64 {
	if len(t) == 0 {
		return 0
	}
	var sum time.Duration
	for _, d := range t {
		sum += d
	}
	return milliseconds(sum) / float64(len(t))
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// parseSize reads a number of bytes, 1 to 1 TiB: 4096, 64KiB, 100MiB, 4GiB.
func parseSize(text string) (int64, error) {
	digits, shift := text, 0
	for unit, bits := range map[string]int{"KiB": 10, "MiB": 20, "GiB": 30} {
		if rest, ok := strings.CutSuffix(text, unit); ok {
			digits, shift = rest, bits
		}
	}
	n, err := strconv.ParseUint(digits, 10, 40)
	if err != nil || n == 0 || n > 1<<40>>shift {
		return 0, fmt.Errorf("%q is not a size from 1 to 1024GiB in bytes, KiB, MiB or GiB", text)
	}
	return int64(n << shift), nil
}
