package events_test

import (
	"errors"
	"testing"

	"chancery/chaincode/exchange"
	"chancery/events"
)

func TestParseGivenUp(t *testing.T) {
	const terminated = `{"type":"io.nats.jetstream.advisory.v1.terminated","id":"x","timestamp":"2026-01-02T03:04:05Z",` +
		`"stream":"WORK","consumer":"pin-object-sealed","consumer_seq":3,"stream_seq":7,"deliveries":2,"reason":"`
	g, err := events.ParseGivenUp([]byte(terminated + events.LetterReason("a.b.7") + `"}`))
	if err != nil || g.Stream != "WORK" || g.Consumer != "pin-object-sealed" || g.Sequence != 7 || g.Deliveries != 2 ||
		g.Letter() != "a.b.7" || g.Worker() != "pin" || g.Time.IsZero() {
		t.Errorf("%+v, %v", g, err)
	}
	if g, err := events.ParseGivenUp([]byte(terminated + `by hand"}`)); err != nil || g.Letter() != "" {
		t.Errorf("%+v, %v", g, err)
	}
	for _, bad := range []string{
		``, `[]`, `{}`, `{"stream":"WORK","consumer":"c"}`, `{"stream":"WORK","consumer":"","stream_seq":1}`,
		`{"stream":"WO RK","consumer":"c","stream_seq":1}`, `{"stream":"WORK","consumer":"c.>","stream_seq":1}`,
		`{"stream":"WORK","consumer":"c","stream_seq":-1}`, `{"stream":"WORK","consumer":"c","stream_seq":1,"deliveries":-1}`,
	} {
		if _, err := events.ParseGivenUp([]byte(bad)); !errors.Is(err, exchange.ErrInvalid) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func FuzzParseGivenUp(f *testing.F) {
	f.Add([]byte(`{"stream":"WORK","consumer":"pin-object-sealed","stream_seq":7,"reason":"dead letter x"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		g, err := events.ParseGivenUp(data)
		if err == nil && (g.Stream == "" || g.Consumer == "" || g.Sequence == 0 || g.Worker() == "") {
			t.Errorf("took %+v", g)
		}
	})
}
