package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"chancery/chaincode/exchange"
	"chancery/events"
	"chancery/events/bus"
	"chancery/workers"
)

// plainBus connects to a bus by NATS's own client, as one of its users.
func plainBus(p workers.BusProfile, user string) (*nats.Conn, jetstream.JetStream, error) {
	authority, err := os.ReadFile(p.CA)
	if err != nil {
		return nil, nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(authority) {
		return nil, nil, fmt.Errorf("%s holds no certificate", p.CA)
	}
	key, err := nats.NkeyOptionFromSeed(filepath.Join(p.NKeys, user+".nk"))
	if err != nil {
		return nil, nil, err
	}
	conn, err := nats.Connect(p.URL, key, nats.CustomInboxPrefix("_INBOX_"+user),
		nats.Secure(&tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS13}), nats.MaxReconnects(-1))
	if err != nil {
		return nil, nil, err
	}
	js, err := jetstream.New(conn)
	if err != nil {
		conn.Close()
		return nil, nil, err
	}
	return conn, js, nil
}

// ear hears what a department's streams LEDGER and WORK store from now on, once
// it is stored, as a worker's consumer does. Any number of goroutines may use
// it.
type ear struct {
	conn *nats.Conn
	ends []jetstream.ConsumeContext

	mu      sync.Mutex
	waiting map[sign]chan<- heardEvent // guarded by mu
}

// sign is what an event is waited for by: its type, and the record that it is
// about or the command that caused it.
type sign struct {
	event exchange.EventType
	id    string
}

type heardEvent struct {
	at time.Time
	events.Envelope
}

func listenTo(ctx context.Context, p workers.BusProfile) (*ear, error) {
	conn, js, err := plainBus(p, bus.UserAdmin)
	if err != nil {
		return nil, err
	}
	e := &ear{conn: conn, waiting: map[sign]chan<- heardEvent{}}
	for _, stream := range []string{events.StreamLedger, events.StreamWork} {
		consumer, err := js.OrderedConsumer(ctx, stream, jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverNewPolicy})
		if err == nil {
			var end jetstream.ConsumeContext
			if end, err = consumer.Consume(e.hear); err == nil {
				e.ends = append(e.ends, end)
				_, err = consumer.Info(ctx)
			}
		}
		if err != nil {
			e.close()
			return nil, fmt.Errorf("listen to %s: %w", stream, err)
		}
	}
	return e, nil
}

func (e *ear) close() {
	for _, end := range e.ends {
		end.Stop()
	}
	e.conn.Close()
}

func (e *ear) hear(m jetstream.Msg) {
	at := time.Now()
	envelope, err := events.Parse(m.Subject(), m.Headers(), m.Data())
	if err != nil {
		return // whoever waits for it will say that it did not come
	}
	event := envelope.Address.Event()
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, s := range []sign{{event, envelope.About}, {event, envelope.Correlation}} {
		if to, ok := e.waiting[s]; ok {
			delete(e.waiting, s)
			to <- heardEvent{at, envelope}
		}
	}
}

// expect makes ready for one event, before it can come.
func (e *ear) expect(event exchange.EventType, id string) <-chan heardEvent {
	came := make(chan heardEvent, 1)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.waiting[sign{event, id}] = came
	return came
}

// earLimit bounds the wait for one event of a quiet network.
const earLimit = 2 * time.Minute

// wait waits for an expected event, or for the refusal of the command instead.
func (e *ear) wait(ctx context.Context, came, refused <-chan heardEvent) (heardEvent, error) {
	return e.waitFor(ctx, came, refused, earLimit)
}

// waitFor is [ear.wait] with a limit.
func (e *ear) waitFor(ctx context.Context, came, refused <-chan heardEvent, most time.Duration) (heardEvent, error) {
	limit := time.NewTimer(most)
	defer limit.Stop()
	select {
	case h := <-came:
		return h, nil
	case h := <-refused:
		no, err := events.Record[events.Rejected](h.Envelope)
		return h, errors.Join(err, no.Code.Err(no.Message))
	case <-ctx.Done():
		return heardEvent{}, ctx.Err()
	case <-limit.C:
		return heardEvent{}, faultf(errUnreachable, "an event did not come within %s", most)
	}
}
