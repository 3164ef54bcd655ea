package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

const day = 24 * time.Hour

// span is a flag's duration: Go's own form, or days as in 30d. Zero is unset.
type span time.Duration

var _ pflag.Value = (*span)(nil)

func (s *span) Set(text string) error {
	d, err := parseSpan(text)
	if err != nil {
		return err
	}
	*s = span(d)
	return nil
}

func (s *span) Type() string { return "duration" }

func (s *span) String() string {
	d := time.Duration(*s)
	switch {
	case d == 0:
		return ""
	case d%day == 0:
		return fmt.Sprintf("%dd", d/day)
	}
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// seconds is the span as records carry it.
func (s span) seconds() int64 { return int64(time.Duration(s) / time.Second) }

// parseSpan reads a positive duration of whole seconds.
func parseSpan(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if days, found := strings.CutSuffix(text, "d"); found {
		var n int64
		n, err = strconv.ParseInt(days, 10, 32)
		d = time.Duration(n) * day
		if n > 100_000 {
			return 0, fmt.Errorf("%q is longer than 100000d", text)
		}
	}
	if err != nil {
		return 0, fmt.Errorf("%q is not a duration such as 90m, 24h or 30d", text)
	}
	if d <= 0 || d%time.Second != 0 {
		return 0, fmt.Errorf("%q is not a positive number of seconds", text)
	}
	return d, nil
}

// spanText prints a number of seconds as a duration.
func spanText(seconds int64) string {
	s := span(time.Duration(seconds) * time.Second)
	return s.String()
}

// moment is a flag's point in time, UTC; zero is unset.
type moment struct{ time.Time }

var _ pflag.Value = (*moment)(nil)

func (m *moment) Set(text string) error {
	t, err := parseMoment(time.Now(), text)
	if err != nil {
		return err
	}
	m.Time = t
	return nil
}

func (m *moment) Type() string { return "time" }

func (m *moment) String() string {
	if m.IsZero() {
		return ""
	}
	return m.Format(time.RFC3339)
}

// parseMoment reads "now", an RFC 3339 time, a date (its first second in UTC),
// or a duration from now: +30d, -2h.
func parseMoment(now time.Time, text string) (time.Time, error) {
	now = now.UTC().Truncate(time.Second)
	if text == "now" {
		return now, nil
	}
	if text != "" && (text[0] == '+' || text[0] == '-') {
		d, err := parseSpan(text[1:])
		if text[0] == '-' {
			d = -d
		}
		return now.Add(d), err
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a time such as 2026-01-31, 2026-01-31T12:00:00Z, +30d or now", text)
}
