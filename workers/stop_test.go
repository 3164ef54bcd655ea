package workers_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"chancery/events"
	"chancery/events/bus"
	"chancery/workers"
)

// TestDrain: the stop waits for a running handler, and its verdict counts.
func TestDrain(t *testing.T) {
	s := newStage(t)
	entered, gate := make(chan struct{}), make(chan struct{})
	var finished atomic.Int64
	stop := start(t, s.intake(func(ctx context.Context, _ *workers.Message) error {
		close(entered)
		<-gate
		if ctx.Err() == nil {
			finished.Add(1)
		}
		return nil
	}))
	s.command("c-1")
	<-entered
	var stopped atomic.Bool
	var wg sync.WaitGroup
	wg.Go(func() {
		stop()
		stopped.Store(true)
	})
	calm(t, "the stop waits", func() bool { return !stopped.Load() })
	close(gate)
	wg.Wait()
	if finished.Load() != 1 || s.pending() != 0 {
		t.Errorf("finished %d, pending %d", finished.Load(), s.pending())
	}
	s.command("c-2")
	calm(t, "nothing is fetched any more", func() bool { return s.pending() == 1 })
}

// TestInterrupted: a handler that outlasts the grace period is ended; that is
// no failure, and the next run gets the message.
func TestInterrupted(t *testing.T) {
	s := newStage(t)
	entered := make(chan struct{})
	stop := start(t, s.intake(func(ctx context.Context, _ *workers.Message) error {
		close(entered)
		<-ctx.Done()
		return ctx.Err()
	}))
	s.command("c-1")
	<-entered
	stop()
	if n := s.pending(); n != 1 {
		t.Fatalf("%d pending", n)
	}
	var calls atomic.Int64
	start(t, s.intake(func(_ context.Context, m *workers.Message) error {
		if m.Attempt != 2 {
			t.Errorf("attempt %d", m.Attempt)
		}
		calls.Add(1)
		return nil
	}))
	eventually(t, "the second run", func() bool { return calls.Load() == 1 })
	if len(s.letters()) != 0 {
		t.Error("an interruption was counted as a failure")
	}
}

// TestCrash: the effect is done but the verdict never sent, as when the worker
// is killed; the repeat finds the effect there.
func TestCrash(t *testing.T) {
	s := newStage(t)
	s.command("c-1")
	js, err := jetstream.New(s.Plain(t, "intake", nats.CustomInboxPrefix("_INBOX_intake")))
	if err != nil {
		t.Fatal(err)
	}
	effects := make(map[string]int) // what a ledger would hold
	c, err := js.CreateOrUpdateConsumer(t.Context(), events.StreamCommands, jetstream.ConsumerConfig{
		Durable: "intake-commands", AckPolicy: jetstream.AckExplicitPolicy, AckWait: 2 * time.Second, MaxDeliver: -1,
		FilterSubject: events.CommandsFilter().Subject,
	})
	if err != nil {
		t.Fatal(err)
	}
	m, err := c.Next()
	if err != nil {
		t.Fatal(err)
	}
	effects[m.Headers().Get("ce-id")] = 1 // and here it dies
	var calls atomic.Int64
	start(t, s.intake(func(_ context.Context, m *workers.Message) error {
		calls.Add(1)
		if effects[m.ID] == 0 {
			t.Errorf("effect of %s was lost", m.ID)
		}
		return nil
	}))
	eventually(t, "the repeat", func() bool { return calls.Load() == 1 })
	eventually(t, "a verdict", func() bool { return s.pending() == 0 })
}

// TestConsumerDeleted: a consumer that somebody deletes is made again, and what
// it had not been told of is not lost.
func TestConsumerDeleted(t *testing.T) {
	s := newStage(t)
	var mu sync.Mutex
	seen := make(map[string]bool)
	start(t, s.intake(func(_ context.Context, m *workers.Message) error {
		mu.Lock()
		defer mu.Unlock()
		seen[m.ID] = true
		return nil
	}))
	has := func(id string) func() bool {
		return func() bool {
			mu.Lock()
			defer mu.Unlock()
			return seen[id]
		}
	}
	s.command("c-1")
	eventually(t, "the first", has("c-1"))
	js, err := jetstream.New(s.Plain(t, bus.UserAdmin, nats.CustomInboxPrefix("_INBOX_admin")))
	if err != nil {
		t.Fatal(err)
	}
	if err := js.DeleteConsumer(t.Context(), events.StreamCommands, "intake-commands"); err != nil {
		t.Fatal(err)
	}
	s.command("c-2")
	eventually(t, "the second", has("c-2"))
}

// TestBusRestart: workers find the bus again by themselves.
func TestBusRestart(t *testing.T) {
	s := newStage(t)
	var calls atomic.Int64
	start(t, s.intake(func(context.Context, *workers.Message) error { calls.Add(1); return nil }))
	s.command("c-1")
	eventually(t, "the first", func() bool { return calls.Load() == 1 })
	s.Stop()
	s.Resume(t)
	s.system = s.Connect(t, bus.UserSystem)
	s.command("c-2")
	eventually(t, "the second", func() bool { return calls.Load() >= 2 })
}

func TestLoop(t *testing.T) {
	s := newStage(t)
	var runs atomic.Int64
	stop := start(t, workers.Worker{Name: "listen", Bus: s.Connect(t, "listen"), Run: func(ctx context.Context) error {
		switch runs.Add(1) {
		case 1:
			return errors.New("lost the peer")
		case 2:
			panic("nil map")
		}
		<-ctx.Done()
		return ctx.Err()
	}})
	eventually(t, "the third run", func() bool { return runs.Load() == 3 })
	stop()
	if runs.Load() != 3 {
		t.Errorf("%d runs", runs.Load())
	}
}

// TestOnlyItsOwn: a worker's subscription beyond its role is refused, and the
// others go on.
func TestOnlyItsOwn(t *testing.T) {
	s := newStage(t)
	conn := s.Connect(t, "pin")
	_, err := conn.EnsureConsumer(t.Context(), events.CommandsFilter(), jetstream.ConsumerConfig{Durable: "pin-commands"})
	if !errors.Is(err, bus.ErrPermission) {
		t.Errorf("got %v", err)
	}
	if _, err := conn.EnsureConsumer(t.Context(), events.WorkFilter(events.ObjectSealed, "", ""), jetstream.ConsumerConfig{Durable: "pin-object-sealed"}); err != nil {
		t.Errorf("its own: %v", err)
	}
}

func TestWrongConfiguration(t *testing.T) {
	s := newStage(t)
	good := s.intake(func(context.Context, *workers.Message) error { return nil })
	for name, c := range map[string]struct {
		cfg  workers.Config
		list []workers.Worker
		want string
	}{
		"no department": {workers.Config{}, []workers.Worker{good}, "whose they are"},
		"no workers":    {quick, nil, "there are none"},
		"twice":         {quick, []workers.Worker{good, good}, "twice"},
		"no bus":        {quick, []workers.Worker{{Name: "pin"}}, "name and bus"},
		"nothing to do": {quick, []workers.Worker{{Name: "pin", Bus: good.Bus}}, "nothing to do"},
		"no handler":    {quick, []workers.Worker{{Name: "pin", Bus: good.Bus, Subscriptions: []workers.Subscription{{Filter: events.CommandsFilter()}}}}, "no handler"},
	} {
		err := workers.Run(t.Context(), c.cfg, c.list)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
