package main

import (
	"testing"
	"time"
)

func TestParseMoment(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 999, time.FixedZone("CET", 3600))
	for text, want := range map[string]string{
		"now":                       "2026-03-01T11:00:00Z",
		"+1d":                       "2026-03-02T11:00:00Z",
		"-90m":                      "2026-03-01T09:30:00Z",
		"2026-01-31":                "2026-01-31T00:00:00Z",
		"2026-01-31T12:00:00+02:00": "2026-01-31T10:00:00Z",
	} {
		got, err := parseMoment(now, text)
		if err != nil || got.Format(time.RFC3339Nano) != want {
			t.Errorf("%s: %s, %v; want %s", text, got.Format(time.RFC3339Nano), err, want)
		}
	}
	for _, text := range []string{"", "+", "-", "+0s", "+1.5ms", "soon", "2026-13-01", "+-1d", "1d"} {
		if got, err := parseMoment(now, text); err == nil {
			t.Errorf("%q: %s, want an error", text, got)
		}
	}
}

func TestParseSpan(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"90m": 90 * time.Minute, "24h": 24 * time.Hour, "30d": 30 * day, "1h30m": 90 * time.Minute,
	} {
		got, err := parseSpan(text)
		if err != nil || got != want {
			t.Errorf("%s: %s, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "d", "0d", "-1d", "1.5d", "0s", "10ms", "9999999999999d", "200000d", "1 d"} {
		if got, err := parseSpan(text); err == nil {
			t.Errorf("%q: %s, want an error", text, got)
		}
	}
}

func TestSpanText(t *testing.T) {
	for seconds, want := range map[int64]string{
		30 * 24 * 3600: "30d", 3600: "1h", 5400: "1h30m", 90: "1m30s", 36 * 3600: "36h", 10: "10s", 60: "1m", 0: "",
	} {
		if got := spanText(seconds); got != want {
			t.Errorf("%d: %q, want %q", seconds, got, want)
		}
	}
}

func FuzzParseMoment(f *testing.F) {
	for _, text := range []string{"now", "+30d", "-2h", "2026-01-31", "2026-01-31T12:00:00Z"} {
		f.Add(text)
	}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parseMoment(now, text)
		if err != nil {
			return
		}
		if got.Location() != time.UTC || got.Nanosecond() != 0 && text[0] != '2' {
			t.Errorf("%q: %s is not whole seconds of UTC", text, got.Format(time.RFC3339Nano))
		}
	})
}
