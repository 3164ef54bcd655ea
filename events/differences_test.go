package events_test

import (
	"slices"
	"testing"
	"time"

	"chancery/events"
)

func TestDifferences(t *testing.T) {
	tests := []struct {
		name   string
		change func(*events.Envelope)
		want   []string
	}{
		{"nothing", func(*events.Envelope) {}, nil},
		{"another zone of the same time", func(e *events.Envelope) { e.Time = e.Time.In(time.FixedZone("x", 3600)) }, nil},
		{"body", func(e *events.Envelope) { e.Data = []byte(`{"id": "g-1"}`) }, []string{"body"}},
		{"counterpart", func(e *events.Envelope) { e.Address.To = "labor" }, []string{"subject"}},
		{"time", func(e *events.Envelope) { e.Time = e.Time.Add(time.Nanosecond) }, []string{"ce-time"}},
		{"extension", func(e *events.Envelope) { e.Extensions = map[string]string{"more": "1"} }, []string{"ce-more"}},
		{"correlation gone, place moved", func(e *events.Envelope) {
			p := *e.Position
			p.Tx = "bb"
			e.Correlation, e.Position = "", &p
		}, []string{"ce-correlation", "ce-tx"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, b := fact(t), fact(t)
			tt.change(&b)
			for _, got := range [][]string{a.Differences(b), b.Differences(a)} {
				if !slices.Equal(got, tt.want) {
					t.Errorf("got %q, want %q", got, tt.want)
				}
			}
		})
	}
}
