package workers_test

import (
	"context"
	"errors"
	"fmt"
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

// record keeps what was done of each key, in order.
type record struct {
	mu   sync.Mutex
	done map[string][]string
}

func (r *record) add(key, id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.done == nil {
		r.done = make(map[string][]string)
	}
	r.done[key] = append(r.done[key], id)
}

func (r *record) count() (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, list := range r.done {
		n += len(list)
	}
	return n
}

func (r *record) of(key string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.done[key], " ")
}

// keyOf is the part of a command's id before the dot.
func keyOf(m *workers.Message) string {
	key, _, _ := strings.Cut(m.ID, ".")
	return key
}

func (s *stage) consumer() jetstream.Consumer {
	s.t.Helper()
	js, err := jetstream.New(s.Plain(s.t, "intake", nats.CustomInboxPrefix("_INBOX_intake")))
	if err != nil {
		s.t.Fatal(err)
	}
	c, err := js.CreateOrUpdateConsumer(s.t.Context(), events.StreamCommands, jetstream.ConsumerConfig{
		Durable: "intake-commands", AckPolicy: jetstream.AckExplicitPolicy, AckWait: 2 * time.Second, MaxDeliver: -1, MaxAckPending: 1000,
		FilterSubject: events.CommandsFilter().Subject,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// TestOrderPerKey: of each key one at a time and in order, also where one fails
// or waits and the others stand behind it; different keys at once.
func TestOrderPerKey(t *testing.T) {
	s := newStage(t)
	const keys, each = 4, 12
	for i := range each {
		for k := range keys {
			s.command(fmt.Sprintf("k%d.%d", k, i))
		}
	}
	var r record
	var first sync.WaitGroup // the first of every key
	first.Add(keys)
	busy := make([]atomic.Int64, keys)
	w := s.intake(func(_ context.Context, m *workers.Message) error {
		var k, i int
		fmt.Sscanf(m.ID, "k%d.%d", &k, &i)
		if busy[k].Add(1) > 1 {
			t.Errorf("%s while another of its key is handled", m.ID)
		}
		defer busy[k].Add(-1)
		if i == 0 { // they wait for one another: keys run beside one another
			first.Done()
			first.Wait()
		}
		switch {
		case i%5 == 2 && m.Attempt < 3:
			return errors.New("not today")
		case i%5 == 4 && m.Attempt < 2:
			return workers.Retry(50*time.Millisecond, errors.New("not yet"))
		case i == 7 && k == 1:
			return workers.Reject(errors.New("never"))
		}
		r.add(keyOf(m), m.ID)
		return nil
	})
	w.Subscriptions[0].Key = keyOf
	start(t, w)
	eventually(t, "all of them", func() bool { return r.count() == keys*each-1 })
	eventually(t, "the letter", func() bool { return len(s.letters()) == 1 })
	eventually(t, "every verdict", func() bool { return s.pending() == 0 })
	for k := range keys {
		var want []string
		for i := range each {
			if k != 1 || i != 7 {
				want = append(want, fmt.Sprintf("k%d.%d", k, i))
			}
		}
		if got := r.of(fmt.Sprint("k", k)); got != strings.Join(want, " ") {
			t.Errorf("key %d: %s", k, got)
		}
	}
}

// TestOrderAfterCrash: what a killed worker had in its hands is handled before
// what came later, though the server gives that out first.
func TestOrderAfterCrash(t *testing.T) {
	s := newStage(t)
	s.command("k.0")
	s.command("k.1")
	s.command("k.2")
	dead := s.consumer()
	batch, err := dead.Fetch(2)
	if err != nil {
		t.Fatal(err)
	}
	for m := range batch.Messages() {
		if m.Headers().Get("ce-id") == "k.0" {
			if err := m.DoubleAck(t.Context()); err != nil { // and then it dies, with k.1 unsettled
				t.Fatal(err)
			}
		}
	}
	var r record
	w := s.intake(func(_ context.Context, m *workers.Message) error { r.add("k", m.ID); return nil })
	w.Subscriptions[0].Key = keyOf
	start(t, w)
	s.command("k.3")
	eventually(t, "the rest", func() bool { return r.count() == 3 })
	if got := r.of("k"); got != "k.1 k.2 k.3" {
		t.Errorf("handled %s", got)
	}
}

// TestOrderAfterStop: what a stop left in the queue comes back in order.
func TestOrderAfterStop(t *testing.T) {
	s := newStage(t)
	for i := range 5 {
		s.command(fmt.Sprint("k.", i))
	}
	var r record
	entered := make(chan struct{}, 1)
	w := s.intake(func(ctx context.Context, m *workers.Message) error {
		if m.ID == "k.1" && m.Attempt == 1 {
			entered <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		}
		r.add("k", m.ID)
		return nil
	})
	w.Subscriptions[0].Key = keyOf
	stop := start(t, w)
	<-entered
	stop()
	start(t, w)
	eventually(t, "all of them", func() bool { return r.count() == 5 })
	if got := r.of("k"); got != "k.0 k.1 k.2 k.3 k.4" {
		t.Errorf("handled %s", got)
	}
}

// TestOrderAfterALostDelivery has one message go astray between server and
// worker: those behind it wait until it comes again.
func TestOrderAfterALostDelivery(t *testing.T) {
	s := newStage(t)
	var r record
	gate := make(chan struct{})
	w := s.intake(func(_ context.Context, m *workers.Message) error {
		<-gate
		r.add("k", m.ID)
		return nil
	})
	w.Subscriptions[0].Key, w.Subscriptions[0].Concurrency = keyOf, 1
	start(t, w)
	const room = 8 // that one handler has where order matters
	for i := range room {
		s.command(fmt.Sprint("k.", i))
	}
	thief := s.consumer()
	eventually(t, "a full window", func() bool { return s.unsettled() == room })
	s.command("k.8")
	stolen, err := thief.Fetch(1, jetstream.FetchMaxWait(patience))
	if err != nil {
		t.Fatal(err)
	}
	for m := range stolen.Messages() {
		if id := m.Headers().Get("ce-id"); id != "k.8" {
			t.Fatalf("stole %s", id)
		}
	}
	s.command("k.9")
	close(gate)
	eventually(t, "all of them", func() bool { return r.count() == room+2 })
	if got := r.of("k"); got != "k.0 k.1 k.2 k.3 k.4 k.5 k.6 k.7 k.8 k.9" {
		t.Errorf("handled %s", got)
	}
}

// unsettled is how many messages of intake's consumer were delivered and have
// no verdict.
func (s *stage) unsettled() int {
	s.t.Helper()
	js, err := jetstream.New(s.Plain(s.t, bus.UserAdmin, nats.CustomInboxPrefix("_INBOX_admin")))
	if err != nil {
		s.t.Fatal(err)
	}
	c, err := js.Consumer(s.t.Context(), events.StreamCommands, "intake-commands")
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return 0
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return c.CachedInfo().NumAckPending
}

// TestSlowHandlersLeaveTheRest: a worker whose handlers are slow holds no more
// than they have in hand, so that another copy can take the rest.
func TestSlowHandlersLeaveTheRest(t *testing.T) {
	s := newStage(t)
	gate := make(chan struct{})
	var calls atomic.Int64
	w := s.intake(func(context.Context, *workers.Message) error { calls.Add(1); <-gate; return nil })
	w.Subscriptions[0].Concurrency = 2
	for i := range 6 {
		s.command(fmt.Sprint("c-", i))
	}
	start(t, w)
	eventually(t, "two calls", func() bool { return calls.Load() == 2 })
	calm(t, "the rest stays on the server", func() bool { return s.unsettled() == 2 })
	close(gate)
	eventually(t, "all of them", func() bool { return calls.Load() == 6 })
}
