package workers_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"chancery/events"
	"chancery/events/bus"
	"chancery/workers"
)

// advisories is how many messages the server said that it gave up on, of those
// that are not dealt with.
func (s *stage) advisories() int {
	s.t.Helper()
	n := 0
	err := s.Connect(s.t, bus.UserAdmin).Read(s.t.Context(), events.AdvisoryFilter(), 0, func(*bus.Message) error {
		n++
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

func (s *stage) adopt(want int) {
	s.t.Helper()
	n, err := s.Connect(s.t, bus.UserAdmin).Adopt(s.t.Context(), "health")
	if err != nil || n != want {
		s.t.Errorf("%d adopted, want %d: %v", n, want, err)
	}
	if left := s.advisories(); left != 0 {
		s.t.Errorf("%d advisories are left", left)
	}
}

// TestNothingIsLostInSilence: what a worker buried has its letter; what was
// ended behind its back becomes one, once, and can be retried.
func TestNothingIsLostInSilence(t *testing.T) {
	s := newStage(t)
	s.command("c-1")
	s.command("c-2")
	behind := s.consumer()
	batch, err := behind.Fetch(2)
	if err != nil {
		t.Fatal(err)
	}
	for m := range batch.Messages() {
		if m.Headers().Get("ce-id") == "c-1" {
			err = m.TermWithReason("out of the way")
		} else {
			err = m.Nak()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the advisory", func() bool { return s.advisories() == 1 })
	s.adopt(1)
	letters := s.letters()
	if len(letters) != 1 {
		t.Fatalf("%d letters", len(letters))
	}
	l := letters[0]
	if l.Worker != "intake" || l.Consumer != "intake-commands" || l.Sequence != 1 || l.Stream != events.StreamCommands || l.Attempts != 1 ||
		l.Subject != "chancery.cmd.health.request.withdraw" || l.Header["ce-id"][0] != "c-1" || !strings.Contains(l.Reason, "out of the way") {
		t.Errorf("letter %+v", l)
	}
	s.adopt(0)

	var calls atomic.Int64
	start(t, s.intake(func(_ context.Context, m *workers.Message) error {
		if m.ID == "c-2" {
			return workers.Reject(errors.New("nonsense"))
		}
		calls.Add(1)
		return nil
	}))
	eventually(t, "the letter of the other, and its advisory", func() bool { return len(s.letters()) == 2 && s.advisories() == 1 })
	s.adopt(0)
	s.retry(1, l)
	eventually(t, "the retry of what was adopted", func() bool { return calls.Load() == 1 })
	if n := len(s.letters()); n != 2 {
		t.Errorf("%d letters", n)
	}
}

// TestMaxDeliveries: a consumer that somebody bounded gives up by itself; the
// message becomes a letter all the same, also when it is a retry.
func TestMaxDeliveries(t *testing.T) {
	s := newStage(t)
	s.command("c-1")
	first := events.Failed{
		Worker: "intake", Consumer: "intake-commands", Reason: "r", Attempts: 1, Subject: "chancery.cmd.health.request.open",
		Stream: events.StreamCommands, Sequence: 1, Body: []byte("{}"), Size: 2,
	}
	s.retry(9, first)
	js, err := jetstream.New(s.Plain(t, bus.UserAdmin, nats.CustomInboxPrefix("_INBOX_admin")))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []events.Filter{events.CommandsFilter(), events.RetryFilter("intake")} {
		c, err := js.CreateOrUpdateConsumer(t.Context(), f.Stream, jetstream.ConsumerConfig{
			Durable: events.Durable("intake", f), AckPolicy: jetstream.AckExplicitPolicy, MaxDeliver: 1, FilterSubject: f.Subject,
		})
		if err != nil {
			t.Fatal(err)
		}
		batch, err := c.Fetch(1)
		if err != nil {
			t.Fatal(err)
		}
		for range batch.Messages() { // and nothing is said of it
		}
		if c, err = js.CreateOrUpdateConsumer(t.Context(), f.Stream, jetstream.ConsumerConfig{
			Durable: events.Durable("intake", f), AckPolicy: jetstream.AckExplicitPolicy, MaxDeliver: 1, FilterSubject: f.Subject, AckWait: 1,
		}); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "both advisories", func() bool { return s.advisories() == 2 })
	s.adopt(2)
	retryOf := make(map[uint64]bool)
	for _, l := range s.letters() {
		if l.Worker != "intake" || l.Consumer != "intake-commands" || l.Stream != events.StreamCommands || l.Sequence != 1 {
			t.Errorf("letter %+v", l)
		}
		retryOf[l.RetryOf] = true
	}
	if len(retryOf) != 2 || !retryOf[9] || !retryOf[0] {
		t.Errorf("letters are of retries %v", retryOf)
	}
}
