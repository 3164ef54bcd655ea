package workertest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"chancery/chaincode/exchange"
	"chancery/events"
	"chancery/events/bus"
	"chancery/test/bustest"
	"chancery/workers"
)

// Hand gives a worker one delivery of an event and returns its verdict.
func Hand(t testing.TB, w workers.Worker, e events.Envelope) error {
	t.Helper()
	return Deliver(t, w, &workers.Message{Message: bus.Message{Envelope: e, Sequence: 1, Stored: time.Now()}, Attempt: 1})
}

// Deliver gives a worker one delivery of a message and returns its verdict.
func Deliver(t testing.TB, w workers.Worker, m *workers.Message) error {
	t.Helper()
	name := strings.ReplaceAll(string(m.Address.Event()), ".", "-")
	for _, s := range w.Subscriptions {
		if s.Filter.Name == name {
			return s.Handle(zerolog.Nop().WithContext(t.Context()), m)
		}
	}
	t.Fatalf("%s does not consume %s", w.Name, name)
	return nil
}

// OnLedger is an event as listen publishes it.
func OnLedger(t testing.TB, e exchange.Event) events.Envelope {
	t.Helper()
	at := events.Position{Channel: "chancery", Block: 1, Tx: strings.Repeat("ab", 32), Code: "VALID"}
	envelope, err := events.NewLedger(e, at, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return envelope
}

// Verdict names what an error of a handler means.
func Verdict(err error) string {
	switch {
	case err == nil:
		return "done"
	case workers.Rejected(err):
		return "dead"
	case workers.Retried(err):
		return "later"
	}
	return "failed"
}

// Stored is everything that a stream holds, in order.
func Stored(t testing.TB, b *bustest.Bus, stream string) []events.Envelope {
	t.Helper()
	conn := b.Connect(t, bus.UserDashboard)
	tail, err := conn.Tail(t.Context(), stream)
	if err != nil {
		t.Fatal(err)
	}
	var list []events.Envelope
	if tail.Messages == 0 {
		return nil
	}
	stop := errors.New("the end")
	err = conn.Follow(t.Context(), events.All(stream), 0, func(m *bus.Message) error {
		if m.Err != nil {
			return m.Err
		}
		list = append(list, m.Envelope)
		if m.Sequence >= tail.Sequence {
			return stop
		}
		return nil
	})
	if !errors.Is(err, stop) {
		t.Fatal(err)
	}
	return list
}

// Eventually waits for a condition.
func Eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(20 * time.Second)
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("in vain: %s", what)
		}
	}
}
