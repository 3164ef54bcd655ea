package e2e

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"chancery/events"
)

// TestLostBus takes a department's bus away with all that it held: LEDGER is
// filled again from block 0, every worker sees every event again, and nothing
// happens twice.
func TestLostBus(t *testing.T) {
	n := shared(t)
	for _, department := range []string{"census", "health"} {
		t.Run(department, func(t *testing.T) {
			s, published := n.publish(t, "census")
			grant := n.give(t, "census", n.open(t, "health", s).ID).ID
			n.delivered(t, "health", grant, s)
			n.attested(t, published.ID, 2)
			before, files := n.settled(t), n.effects(t)
			var consumers []string
			await(t, "consumers", func() (err error) {
				consumers, err = n.consumersOf(t, department)
				return err
			})
			if len(consumers) == 0 {
				t.Fatal("no consumer on LEDGER")
			}

			n.loseBus(t, department)
			n.settled(t)
			await(t, "consumers", func() error { return n.drained(t, department, consumers) })
			if after := n.settled(t); !slices.Equal(idsOf(before), idsOf(after)) {
				t.Errorf("%d events on the ledger, %d before the loss: %v", len(after), len(before), tellNew(before, after))
			}
			if tail := n.tail(t, department, events.StreamDead); tail.Messages != 0 {
				t.Errorf("%d dead letters of what was said again", tail.Messages)
			}
			if after := n.effects(t); !slices.Equal(files, after) {
				t.Errorf("wraps and deliveries were %v, are %v", files, after)
			}

			grant = n.give(t, "census", n.open(t, "health", s).ID).ID
			n.delivered(t, "health", grant, s)
		})
	}
}

// loseBus kills a department's bus and workers and removes the streams. The
// processes stand still before, so that none is there again too early.
func (n network) loseBus(t *testing.T, department string) {
	t.Helper()
	parts := []string{department + "-workers", department + "-bus"}
	for _, part := range parts {
		n.signal(t, part, syscall.SIGSTOP)
	}
	store := filepath.Join(n.dir, department, "bus", "store")
	if _, err := os.Stat(store); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(store); err != nil {
		t.Fatal(err)
	}
	n.kill(t, parts...)
}

// consumersOf names the durable consumers of LEDGER, sorted; those that have
// something left to do are an error.
func (n network) consumersOf(t *testing.T, department string) ([]string, error) {
	t.Helper()
	p := n.profile(t, department)
	key, err := nats.NkeyOptionFromSeed(filepath.Join(p.Bus.NKeys, "admin.nk"))
	if err != nil {
		t.Fatal(err)
	}
	nc, err := nats.Connect(p.Bus.URL, key, nats.RootCAs(p.Bus.CA), nats.CustomInboxPrefix("_INBOX_admin"))
	if err != nil {
		return nil, err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, err
	}
	stream, err := js.Stream(t.Context(), events.StreamLedger)
	if err != nil {
		return nil, err
	}
	var names []string
	list := stream.ListConsumers(t.Context())
	for c := range list.Info() {
		names = append(names, c.Name)
		if c.NumPending > 0 || c.NumAckPending > 0 {
			err = errors.Join(err, fmt.Errorf("%s has %d to come and %d in hand", c.Name, c.NumPending, c.NumAckPending))
		}
	}
	slices.Sort(names)
	return names, errors.Join(err, list.Err())
}

// drained says whether the same consumers are there and have nothing to do.
func (n network) drained(t *testing.T, department string, want []string) error {
	t.Helper()
	names, err := n.consumersOf(t, department)
	if err == nil && !slices.Equal(names, want) {
		err = fmt.Errorf("consumers are %v, were %v", names, want)
	}
	return err
}

// effects lists what the workers have made outside of the ledger: wraps of keys
// and delivered files.
func (n network) effects(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, d := range departments {
		p := n.profile(t, d)
		for _, pattern := range []string{filepath.Join(p.Journal, "*", "*"), filepath.Join(p.Inbox, "*", "*", "*")} {
			found, err := filepath.Glob(pattern)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, found...)
		}
	}
	return all
}

// tellNew lists the events that are only in the second list.
func tellNew(before, after []events.Envelope) (all []string) {
	known := idsOf(before)
	for _, e := range after {
		if !slices.Contains(known, e.ID) {
			all = append(all, e.Address.String())
		}
	}
	return all
}
