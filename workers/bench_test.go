package workers_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"chancery/chaincode/exchange"
	"chancery/events"
	"chancery/events/bus"
	"chancery/test/bustest"
	"chancery/workers"
)

// backlog puts n events of an object each on LEDGER, as listen does.
func backlog(t testing.TB, b *bustest.Bus, n int) {
	t.Helper()
	conn := b.Connect(t, "listen")
	tail, err := conn.Tail(t.Context(), events.StreamLedger)
	if err != nil {
		t.Fatal(err)
	}
	for end := tail.Sequence + uint64(n); tail.Sequence < end; {
		batch := make([]events.Envelope, 0, bus.MaxBatch)
		for i := tail.Sequence; i < end && len(batch) < bus.MaxBatch; i++ {
			batch = append(batch, registered(t, int(i)))
		}
		_, err := conn.PublishBatch(t.Context(), batch, bus.Tail{Sequence: tail.Sequence})
		if err != nil && !errors.Is(err, bus.ErrUnreachable) && !errors.Is(err, bus.ErrSequence) {
			t.Fatal(err)
		}
		for tail, err = conn.Tail(t.Context(), events.StreamLedger); err != nil; tail, err = conn.Tail(t.Context(), events.StreamLedger) {
			if !errors.Is(err, bus.ErrUnreachable) { // a busy disk makes it late
				t.Fatal(err)
			}
		}
	}
}

// registered is the event in block i of a ledger that holds one in each.
func registered(t testing.TB, i int) events.Envelope {
	t.Helper()
	id := exchange.NewID(exchange.NounObject, "CensusMSP", time.Duration(i).String())
	e, err := events.NewLedger(exchange.Event{
		Type: exchange.ObjectRegistered, From: "census", To: exchange.ToAll, ID: id, Command: "c-" + id,
		Data: []byte(`{"id":"` + id + `","owner":"census","dataset":"census/population","version":1}`),
	}, events.Position{Channel: "chancery", Block: uint64(i), Tx: id, Code: "VALID"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return e
}

const benchMessages = 20_000

// BenchmarkConsume handles a backlog with the runtime, each message by a
// handler that does nothing and acknowledged twice over, and then the same
// backlog with the client library alone, as fast as that can fetch and
// acknowledge. ratio is the first in the second.
func BenchmarkConsume(b *testing.B) {
	on := bustest.Start(b, "health")
	backlog(b, on, benchMessages)
	var ours, raw time.Duration
	b.ResetTimer()
	for range b.N {
		raw += consumeRaw(b, on)
		ours += consumeOurs(b, on)
	}
	total := float64(b.N * benchMessages)
	b.ReportMetric(total/ours.Seconds(), "ours/s")
	b.ReportMetric(total/raw.Seconds(), "raw/s")
	b.ReportMetric(raw.Seconds()/ours.Seconds(), "ratio")
}

func consumeOurs(b *testing.B, on *bustest.Bus) time.Duration {
	deleteConsumers(b, on)
	conn := on.Connect(b, "verify")
	ctx, cancel := context.WithCancel(zerolog.Nop().WithContext(b.Context()))
	defer cancel()
	var handled atomic.Int64
	began := time.Now()
	err := workers.Run(ctx, workers.Config{Department: "health"}, []workers.Worker{{
		Name: "verify", Bus: conn, Subscriptions: []workers.Subscription{{
			Filter: events.LedgerFilter(exchange.ObjectRegistered, "", ""), Concurrency: 64,
			Handle: func(context.Context, *workers.Message) error {
				if handled.Add(1) == benchMessages {
					cancel()
				}
				return nil
			},
		}},
	}})
	if err != nil {
		b.Fatal(err)
	}
	return time.Since(began)
}

func consumeRaw(b *testing.B, on *bustest.Bus) time.Duration {
	deleteConsumers(b, on)
	js, err := jetstream.New(on.Plain(b, "verify", nats.CustomInboxPrefix("_INBOX_verify")))
	if err != nil {
		b.Fatal(err)
	}
	filter := events.LedgerFilter(exchange.ObjectRegistered, "", "")
	began := time.Now()
	c, err := js.CreateOrUpdateConsumer(b.Context(), filter.Stream, jetstream.ConsumerConfig{
		Durable: events.Durable("verify", filter), AckPolicy: jetstream.AckExplicitPolicy, FilterSubject: filter.Subject, MaxDeliver: -1,
	})
	if err != nil {
		b.Fatal(err)
	}
	for n := 0; n < benchMessages; {
		batch, err := c.Fetch(500)
		if err != nil {
			b.Fatal(err)
		}
		for m := range batch.Messages() {
			if err := m.Ack(); err != nil {
				b.Fatal(err)
			}
			n++
		}
		if err := batch.Error(); err != nil && !errors.Is(err, nats.ErrTimeout) {
			b.Fatal(err)
		}
	}
	return time.Since(began)
}

func deleteConsumers(b *testing.B, on *bustest.Bus) {
	b.Helper()
	js, err := jetstream.New(on.Plain(b, bus.UserAdmin, nats.CustomInboxPrefix("_INBOX_admin")))
	if err != nil {
		b.Fatal(err)
	}
	filter := events.LedgerFilter(exchange.ObjectRegistered, "", "")
	err = js.DeleteConsumer(b.Context(), filter.Stream, events.Durable("verify", filter))
	if err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
		b.Fatal(err)
	}
}
