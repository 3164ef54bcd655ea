package chaos

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/events"
	"chancery/events/bus"
)

// label names the effect that an event tells of, so that two events with one
// label are one effect done twice.
func label(event exchange.EventType, id string, data []byte) string {
	var record struct {
		Object, By string
		Grant      string
		Slot       int
	}
	_ = json.Unmarshal(data, &record) // what cannot be read has a label that nobody wants
	switch event {
	case exchange.ObjectAttested:
		id = record.Object + " by " + record.By
	case exchange.GrantRedeemed, exchange.KeyReleased, exchange.ReceiptFiled:
		id = exchange.UseID(record.Grant, record.Slot)
	}
	return string(event) + " " + id
}

// wanted is every effect of every command, once. The network's beginning is no
// command's.
func (l *load) wanted() map[string]int {
	want := make(map[string]int)
	add := func(event exchange.EventType, id string) { want[string(event)+" "+id]++ }
	use := func(request *command, slot int) {
		for _, event := range []exchange.EventType{exchange.GrantRedeemed, exchange.KeyReleased, exchange.ReceiptFiled} {
			add(event, exchange.UseID(l.grantID(request), slot))
		}
	}
	for _, c := range l.commands {
		switch c.name {
		case events.DatasetPublish:
			add(exchange.DatasetRegistered, exchange.DatasetID(l.msp(c.department), c.dataset))
			add(exchange.ObjectRegistered, l.objectID(c))
			for _, d := range departments {
				if d != c.department {
					add(exchange.ObjectAttested, l.objectID(c)+" by "+d)
				}
			}
		case events.RequestOpen:
			add(exchange.RequestOpened, l.requestID(c))
			switch c.purpose {
			case given:
				add(exchange.GrantWasGiven, l.grantID(c))
				use(c, 0)
			case refused:
				add(exchange.RequestWasRefused, l.requestID(c))
			}
		case events.RequestWithdraw:
			add(exchange.RequestWasWithdrawn, l.requestID(c.about))
		case events.GrantRedeem:
			use(c.about, 1)
		}
	}
	return want
}

// difference says in which effects a count is not what is wanted.
func difference(got, want map[string]int) error {
	var errs []error
	for what := range maps.Keys(want) {
		if got[what] != want[what] {
			errs = append(errs, fmt.Errorf("%s: %d times, want %d", what, got[what], want[what]))
		}
	}
	for what, n := range got {
		if begins := strings.HasPrefix(what, "department.") || strings.HasPrefix(what, "officer."); want[what] == 0 && !begins {
			errs = append(errs, fmt.Errorf("%s: %d times, and no command asked for it", what, n))
		}
	}
	if len(errs) > 10 {
		errs = append(errs[:10], fmt.Errorf("and %d more", len(errs)-10))
	}
	return errors.Join(errs...)
}

// complete says whether every effect was heard of.
func (l *load) complete() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return difference(l.heard, l.wanted())
}

// onLedger counts the effects in the blocks of a department's peer.
func (n *network) onLedger(t *testing.T, department string) map[string]int {
	t.Helper()
	got := make(map[string]int)
	n.read(t, department, 0, func(tx ledger.Tx) {
		for _, e := range tx.Events {
			got[label(e.Type, e.ID, e.Data)]++
		}
	})
	return got
}

// read reads the transactions of a department's peer from a block on.
func (n *network) read(t *testing.T, department string, from uint64, take func(ledger.Tx)) {
	t.Helper()
	c, err := ledger.Dial(t.Context(), dialing(n.profiles[department], exchange.Auditor))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	height, err := c.Height(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	enough := errors.New("enough")
	err = c.Blocks(t.Context(), from, func(b ledger.Block) error {
		for _, tx := range b.Txs {
			take(tx)
		}
		if b.Number+1 >= height {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) {
		t.Fatal(err)
	}
}

// onStream reads all of a stream of a department's bus.
func (n *network) onStream(t *testing.T, department, stream string) (list []*bus.Message) {
	t.Helper()
	err := n.connect(t, department, bus.UserDashboard).Read(t.Context(), events.All(stream), 0, func(m *bus.Message) error {
		list = append(list, m)
		return m.Err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// checkStreams holds each department's streams against what was commanded.
func (l *load) checkStreams(t *testing.T, department string) {
	t.Helper()
	got := make(map[string]int)
	for _, m := range l.network.onStream(t, department, events.StreamLedger) {
		got[label(m.Address.Event(), m.About, m.Data)]++
	}
	if err := difference(got, l.wanted()); err != nil {
		t.Errorf("LEDGER of %s: %v", department, err)
	}
	answers := make(map[string]int)
	for _, m := range l.network.onStream(t, department, events.StreamWork) {
		switch m.Address.Event() {
		case events.CommandAccepted:
			answers[m.Correlation]++
		case exchange.CommandRejected:
			t.Errorf("WORK of %s: %s", department, m.Data)
		}
	}
	for id, c := range l.commands {
		if c.department == department && answers[id] != c.said {
			t.Errorf("%s of %s was said %d times and answered %d times", id, department, c.said, answers[id])
		}
	}
	for _, m := range l.network.onStream(t, department, events.StreamDead) {
		t.Errorf("dead letter of %s: %s", department, m.Data)
	}
}

// checkFiles holds each department's inbox against what was granted: each file
// once, whole, and nothing beside it.
func (l *load) checkFiles(t *testing.T, department string) (delivered int) {
	t.Helper()
	want := make(map[string][]byte)
	expect := func(request *command, slot int) {
		want[filepath.Join(exchange.UseID(l.grantID(request), slot), request.about.dataset+".csv")] = request.about.content
	}
	for _, c := range l.commands {
		switch {
		case c.department != department:
		case c.name == events.GrantRedeem:
			expect(c.about, 1)
		case c.purpose == given:
			expect(c, 0)
		}
	}
	inbox := l.network.profiles[department].Inbox
	found, err := filepath.Glob(filepath.Join(inbox, "*", "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range found {
		name, err := filepath.Rel(inbox, file)
		if err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if wanted, ok := want[name]; !ok || !bytes.Equal(content, wanted) {
			t.Errorf("inbox of %s: %s has %d bytes, want %d", department, name, len(content), len(wanted))
		}
		delete(want, name)
		delivered++
	}
	for name := range want {
		t.Errorf("inbox of %s: %s is not there", department, name)
	}
	return delivered
}

// idle says whether no worker of a department has anything in hand or to come.
func (n *network) idle(t *testing.T, department string) error {
	t.Helper()
	p := n.profiles[department].Bus
	key, err := nats.NkeyOptionFromSeed(filepath.Join(p.NKeys, bus.UserAdmin+".nk"))
	if err != nil {
		t.Fatal(err)
	}
	nc, err := nats.Connect(p.URL, key, nats.RootCAs(p.CA), nats.CustomInboxPrefix("_INBOX_"+bus.UserAdmin))
	if err != nil {
		return err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	for _, name := range []string{events.StreamCommands, events.StreamLedger, events.StreamWork} {
		stream, err := js.Stream(t.Context(), name)
		if err != nil {
			return err
		}
		list := stream.ListConsumers(t.Context())
		var busy []string
		for c := range list.Info() {
			if c.NumPending > 0 || c.NumAckPending > 0 {
				busy = append(busy, fmt.Sprintf("%s has %d to come and %d in hand", c.Name, c.NumPending, c.NumAckPending))
			}
		}
		if slices.Sort(busy); len(busy) > 0 || list.Err() != nil {
			return fmt.Errorf("%s: %s %v", department, strings.Join(busy, ", "), list.Err())
		}
	}
	return nil
}
