package e2e

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/events"
	"chancery/events/bus"
	"chancery/schemas"
)

var errEnough = errors.New("enough")

// follow reads a stream of a department's bus from its beginning until take
// says that it has enough. A bus that is away is sought again.
func (n network) follow(t *testing.T, department, what string, f events.Filter, take func(*bus.Message) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	p := n.profile(t, department)
	from := uint64(0)
	for {
		err := func() error {
			conn, err := bus.Connect(ctx, bus.Config{URL: p.Bus.URL, CA: p.Bus.CA, NKeys: p.Bus.NKeys, User: bus.UserDashboard, Patient: true})
			if err != nil {
				return err
			}
			defer conn.Close()
			return conn.Follow(ctx, f, from, func(m *bus.Message) error {
				from = m.Sequence + 1
				if m.Err != nil {
					t.Errorf("%s %d of %s: %v", m.Stream, m.Sequence, department, m.Err)
				}
				if take(m) {
					return errEnough
				}
				return nil
			})
		}()
		switch {
		case errors.Is(err, errEnough):
			return
		case ctx.Err() != nil, errors.Is(err, bus.ErrPermission):
			t.Fatalf("%s hears nothing of %s: %v", department, what, err)
		}
	}
}

// hear waits for an event of the ledger about a record.
func (n network) hear(t *testing.T, department string, event exchange.EventType, id string) events.Envelope {
	t.Helper()
	var found events.Envelope
	n.follow(t, department, fmt.Sprintf("%s %s", event, id), events.LedgerFilter(event, "", ""), func(m *bus.Message) bool {
		found = m.Envelope
		return m.About == id
	})
	return found
}

// stream is what a department's bus holds of a stream, in its order.
func (n network) stream(t *testing.T, department, stream string) []events.Envelope {
	t.Helper()
	tail := n.tail(t, department, stream)
	var all []events.Envelope
	if tail.Messages == 0 {
		return nil
	}
	n.follow(t, department, stream, events.All(stream), func(m *bus.Message) bool {
		all = append(all, m.Envelope)
		return m.Sequence >= tail.Sequence
	})
	return all
}

func (n network) tail(t *testing.T, department, stream string) bus.Tail {
	t.Helper()
	p := n.profile(t, department)
	conn, err := bus.Connect(t.Context(), bus.Config{URL: p.Bus.URL, CA: p.Bus.CA, NKeys: p.Bus.NKeys, User: bus.UserDashboard})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	tail, err := conn.Tail(t.Context(), stream)
	if err != nil {
		t.Fatal(err)
	}
	return tail
}

// client opens a department's peer as one of its identities, for the test.
func (n network) client(t *testing.T, department, identity string) *ledger.Client {
	t.Helper()
	p := n.profile(t, department)
	dir := filepath.Join(p.Identities, identity)
	c, err := ledger.Dial(t.Context(), ledger.Config{
		Department: p.Department, MSP: p.MSP, Channel: p.Channel, Chaincode: p.Chaincode,
		Address: p.Peer.Address, TLSCA: p.Peer.TLSCA, ServerName: p.Peer.ServerName,
		Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem"),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// truth is the id of every event in the blocks of a client's peer.
func truth(t *testing.T, c *ledger.Client) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	height, err := c.Height(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	err = c.Blocks(ctx, 0, func(b ledger.Block) error {
		for _, tx := range b.Txs {
			for i := range tx.Events {
				ids = append(ids, fmt.Sprintf("%s.%d", tx.ID, i))
			}
		}
		if b.Number+1 >= height {
			return errEnough
		}
		return nil
	})
	if !errors.Is(err, errEnough) {
		t.Fatalf("blocks: %v", err)
	}
	return ids
}

// settled waits until every department's LEDGER holds every event of the
// ledger once and in its order, and returns the events.
func (n network) settled(t *testing.T) []events.Envelope {
	t.Helper()
	var first []events.Envelope
	auditor := n.client(t, departments[0], string(exchange.Auditor))
	await(t, "LEDGER as the ledger", func() error {
		want := truth(t, auditor)
		for i, d := range departments {
			got := n.stream(t, d, events.StreamLedger)
			if !slices.Equal(idsOf(got), want) {
				return fmt.Errorf("%s has %d events, the ledger %d", d, len(got), len(want))
			}
			if i == 0 {
				first = got
			}
			checkSame(t, d, first, got)
		}
		return nil
	})
	checkOrder(t, first)
	return first
}

func idsOf(list []events.Envelope) []string {
	ids := make([]string, len(list))
	for i, e := range list {
		ids[i] = e.ID
	}
	return ids
}

// checkSame compares two departments' LEDGER event by event.
func checkSame(t *testing.T, department string, want, got []events.Envelope) {
	t.Helper()
	for i := range want {
		a, b := want[i], got[i]
		if a.Address != b.Address || a.Type != b.Type || !a.Time.Equal(b.Time) || *a.Position != *b.Position || string(a.Data) != string(b.Data) {
			t.Errorf("event %d of %s is %+v, that of %s is %+v", i, department, b, departments[0], a)
		}
	}
}

// checkOrder holds events to the ledger's order and to their schemas.
func checkOrder(t *testing.T, list []events.Envelope) {
	t.Helper()
	for i, e := range list {
		if i > 0 && list[i-1].Position.Compare(*e.Position) >= 0 {
			t.Errorf("event %d stands at %+v, after %+v", i, *e.Position, *list[i-1].Position)
		}
		if err := schemas.Validate(e.Type, e.Data); err != nil {
			t.Errorf("event %d, %s: %v", i, e.ID, err)
		}
	}
}
