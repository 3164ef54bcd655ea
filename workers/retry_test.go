package workers_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"chancery/events"
	"chancery/events/bus"
	"chancery/workers"
)

// retry has the message of a dead letter tried again, as an administrator does.
func (s *stage) retry(letter uint64, f events.Failed) bus.Stored {
	s.t.Helper()
	e, err := events.NewRetry("health", letter, f, time.Now())
	if err != nil {
		s.t.Fatal(err)
	}
	stored, err := s.Connect(s.t, bus.UserAdmin).PublishOnce(s.t.Context(), e)
	if err != nil {
		s.t.Fatal(err)
	}
	return stored
}

// TestRetry: a dead letter's message comes to its worker as it first came, once
// for each letter however often that is said; a retry that fails makes another
// letter, which can be retried in its turn.
func TestRetry(t *testing.T) {
	s := newStage(t)
	var calls atomic.Int64
	var good atomic.Bool
	start(t, s.intake(func(_ context.Context, m *workers.Message) error {
		calls.Add(1)
		if m.Err != nil || m.ID != "c-1" || m.Sequence != 1 || m.Stream != events.StreamCommands || m.Address.From != "health" ||
			m.Subject != "chancery.cmd.health.request.withdraw" || !json.Valid(m.Data) || time.Since(m.Stored) > time.Minute {
			t.Errorf("delivered %+v", m)
		}
		if !good.Load() {
			return workers.Reject(errors.New("not in the mood"))
		}
		return nil
	}))
	s.command("c-1")
	eventually(t, "a letter", func() bool { return len(s.letters()) == 1 })
	first := s.letters()[0]
	if first.RetryOf != 0 {
		t.Errorf("letter %+v", first)
	}

	if stored := s.retry(1, first); stored.Duplicate || stored.Sequence != 2 {
		t.Errorf("stored %+v", stored)
	}
	eventually(t, "a letter of the retry", func() bool { return len(s.letters()) == 2 })
	second := s.letters()[1]
	if second.RetryOf != 1 || second.Consumer != "intake-commands" || second.Stream != events.StreamCommands || second.Sequence != 1 ||
		second.Subject != first.Subject || string(second.Body) != string(first.Body) || second.Header["ce-id"][0] != "c-1" {
		t.Errorf("letter %+v", second)
	}

	good.Store(true)
	if stored := s.retry(1, first); !stored.Duplicate {
		t.Errorf("the same letter again: %+v", stored)
	}
	calm(t, "no further call", func() bool { return calls.Load() == 2 })
	s.retry(3, second)
	eventually(t, "a third call", func() bool { return calls.Load() == 3 })
	calm(t, "no further letter", func() bool { return len(s.letters()) == 2 })
}

// TestRetryWaitsForTheWorker: it is kept while nobody runs.
func TestRetryWaitsForTheWorker(t *testing.T) {
	s := newStage(t)
	stop := start(t, s.intake(func(context.Context, *workers.Message) error { return workers.Reject(errors.New("no")) }))
	s.command("c-1")
	eventually(t, "a letter", func() bool { return len(s.letters()) == 1 })
	stop()
	s.retry(1, s.letters()[0])
	var calls atomic.Int64
	start(t, s.intake(func(context.Context, *workers.Message) error { calls.Add(1); return nil }))
	eventually(t, "the retry", func() bool { return calls.Load() == 1 })
}

// TestRetryOfWhatIsNoEnvelope goes to the handler for it again.
func TestRetryOfWhatIsNoEnvelope(t *testing.T) {
	s := newStage(t)
	w := s.intake(func(context.Context, *workers.Message) error { return errors.New("never called") })
	var bad atomic.Int64
	w.Subscriptions[0].Malformed = func(_ context.Context, m *workers.Message) error {
		if m.Err == nil || m.Sequence != 1 {
			t.Errorf("malformed %+v", m)
		}
		if bad.Add(1) == 1 {
			return workers.Reject(m.Err)
		}
		return nil
	}
	start(t, w)
	if _, err := s.Plain(t, bus.UserSystem).Request("chancery.cmd.health.request.open", []byte("{"), patience); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a letter", func() bool { return len(s.letters()) == 1 })
	s.retry(1, s.letters()[0])
	eventually(t, "a second call", func() bool { return bad.Load() == 2 })
}

// TestRetryForNobody: what names no subscription of the worker is a dead letter
// that says so.
func TestRetryForNobody(t *testing.T) {
	s := newStage(t)
	start(t, s.intake(func(context.Context, *workers.Message) error { return errors.New("never called") }))
	s.retry(9, events.Failed{
		Worker: "intake", Consumer: "intake-gone", Reason: "r", Attempts: 1,
		Subject: "chancery.cmd.health.request.open", Stream: events.StreamCommands, Sequence: 4, Time: time.Now(),
	})
	eventually(t, "a letter", func() bool { return len(s.letters()) == 1 })
	if l := s.letters()[0]; l.Consumer != "intake-retry" || l.Stream != events.StreamDead || !strings.Contains(l.Reason, "intake has no consumer intake-gone") {
		t.Errorf("letter %+v", l)
	}
}
