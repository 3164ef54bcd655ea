package bus_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"chancery/chaincode/exchange"
	"chancery/events"
	"chancery/events/bus"
	"chancery/test/bustest"
)

var at = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func withdraw(t *testing.T, from, id string) events.Envelope {
	t.Helper()
	e, err := events.NewCommand(from, events.RequestWithdraw, id, &exchange.EndRequest{
		Request: exchange.NewID(exchange.NounRequest, "HealthMSP", "c-1"), Reason: "no longer needed",
	}, at)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func fact(t *testing.T, block uint64, index int) events.Envelope {
	t.Helper()
	e, err := events.NewLedger(
		exchange.Event{
			Type: exchange.DepartmentRegistered, From: "census", To: exchange.ToAll, ID: "census",
			Data: json.RawMessage(`{"name":"census"}`),
		},
		events.Position{Channel: "chancery", Block: block, EventIndex: index, Tx: "aa", Code: "VALID"}, at)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func staged(t *testing.T, department string) events.Envelope {
	t.Helper()
	object := exchange.NewID(exchange.NounObject, "HealthMSP", "c-1")
	e, err := events.NewWork(events.ObjectStaged, department, exchange.ToAll, object, "c-1", &events.Staged{
		Object: object, Dataset: exchange.NewID(exchange.NounDataset, "HealthMSP", "c-1"), Command: "c-1", File: "a.csv",
	}, at)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

var failed = events.Failed{
	Consumer: "x-commands", Reason: "r", Attempts: 1, Subject: "chancery.cmd.health.request.open",
	Stream: events.StreamCommands, Sequence: 4, Body: []byte("{}"), Size: 2, Time: at,
}

func letter(t *testing.T, worker string) events.Envelope {
	t.Helper()
	f := failed
	f.Worker = worker
	e, err := events.NewDead("health", f)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func again(t *testing.T, worker string) events.Envelope {
	t.Helper()
	f := failed
	f.Worker = worker
	e, err := events.NewRetry("health", 7, f, at)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestRetriesAreTheWorkersOwn: no worker may consume another's.
func TestRetriesAreTheWorkersOwn(t *testing.T) {
	b := bustest.Start(t, "health")
	cfg := jetstream.ConsumerConfig{Durable: "pin-retry", AckPolicy: jetstream.AckExplicitPolicy}
	if _, err := b.Connect(t, "pin").EnsureConsumer(t.Context(), events.RetryFilter("pin"), cfg); err != nil {
		t.Error(err)
	}
	for _, f := range []events.Filter{events.RetryFilter("intake"), events.RetryFilter(""), events.All(events.StreamDead)} {
		if _, err := b.Connect(t, "pin").EnsureConsumer(t.Context(), f, cfg); !errors.Is(err, bus.ErrPermission) {
			t.Errorf("%s: %v", f.Subject, err)
		}
	}
}

// TestOnce: a subject that shall hold one message takes one, also when the
// message says something else and its id is forgotten.
func TestOnce(t *testing.T) {
	b := bustest.Start(t, "health")
	admin := b.Connect(t, bus.UserAdmin)
	for n := range 3 {
		e := again(t, "intake")
		e.ID += fmt.Sprint(n)
		stored, err := admin.PublishOnce(t.Context(), e)
		if err != nil || stored.Duplicate != (n > 0) {
			t.Errorf("time %d: %+v, %v", n, stored, err)
		}
	}
}

// TestWhoMayPublish: each user its own subjects and no others.
func TestWhoMayPublish(t *testing.T) {
	b := bustest.Start(t, "health")
	for _, c := range []struct {
		user    string
		event   events.Envelope
		allowed bool
	}{
		{"system", withdraw(t, "health", "c-1"), true},
		{"system", withdraw(t, "census", "c-1"), false},
		{"system", fact(t, 1, 0), false},
		{"system", staged(t, "health"), false},
		{"dashboard", withdraw(t, "health", "c-2"), false},
		{"dashboard", fact(t, 1, 0), false},
		{"admin", withdraw(t, "health", "c-3"), false},
		{"admin", fact(t, 1, 0), false},
		{"listen", fact(t, 1, 0), true},
		{"listen", withdraw(t, "health", "c-4"), false},
		{"listen", staged(t, "health"), false},
		{"intake", staged(t, "health"), true},
		{"intake", staged(t, "census"), false},
		{"intake", fact(t, 1, 1), false},
		{"release", staged(t, "health"), false},
		{"receive", fact(t, 1, 1), false},
		{"intake", letter(t, "intake"), true},
		{"intake", letter(t, "pin"), false},
		{"admin", letter(t, "intake"), true},
		{"admin", again(t, "intake"), true},
		{"dashboard", again(t, "intake"), false},
		{"system", again(t, "intake"), false},
		{"intake", again(t, "intake"), false},
		{"pin", again(t, "intake"), false},
	} {
		t.Run(c.user+" "+c.event.Address.String(), func(t *testing.T) {
			stored, err := b.Connect(t, c.user).Publish(t.Context(), c.event)
			if c.allowed && (err != nil || stored.Sequence == 0) {
				t.Errorf("refused: %v", err)
			}
			if !c.allowed && !errors.Is(err, bus.ErrPermission) {
				t.Errorf("got %v, want ErrPermission", err)
			}
		})
	}
}

// TestAnswersCannotBeMisdirected: a server sends its answers wherever a request
// says; a guest's must not land in LEDGER.
func TestAnswersCannotBeMisdirected(t *testing.T) {
	b := bustest.Start(t, "health")
	target := fact(t, 1, 0).Address.String()
	for _, user := range []string{"system", "dashboard"} {
		nc := b.Plain(t, user)
		for _, subject := range []string{
			events.CommandSubject("health", events.RequestOpen).String(),
			"$JS.API.STREAM.INFO.LEDGER", "$JS.API.DIRECT.GET.LEDGER", "$JS.API.DIRECT.GET.LEDGER." + target,
		} {
			if err := nc.PublishMsg(&nats.Msg{Subject: subject, Reply: target, Data: []byte(`{"seq":1}`)}); err != nil {
				t.Fatal(err)
			}
		}
		// Answered only after the server took up what came before.
		if err := nc.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.Connect(t, "system").Publish(t.Context(), withdraw(t, "health", "c-9")); err != nil {
		t.Fatal(err)
	}
	tail, err := b.Connect(t, "admin").Tail(t.Context(), events.StreamLedger)
	if err != nil {
		t.Fatal(err)
	}
	if tail.Sequence != 0 {
		t.Errorf("LEDGER holds %q on %s", tail.Last.Data, tail.Last.Subject)
	}
}

func TestWhoMayManage(t *testing.T) {
	b := bustest.Start(t, "health")
	for _, user := range []string{"system", "dashboard", "listen", "pin"} {
		nc := b.Plain(t, user, nats.CustomInboxPrefix("_INBOX_"+user))
		for _, verb := range []string{"DELETE", "PURGE", "UPDATE", "RESTORE", "CREATE"} {
			if m, err := nc.Request("$JS.API.STREAM."+verb+".LEDGER", nil, 100*time.Millisecond); err == nil {
				t.Errorf("%s got an answer to %s: %s", user, verb, m.Data)
			}
		}
	}
}

func TestWhoMayRead(t *testing.T) {
	b := bustest.Start(t, "health")
	for _, c := range []struct {
		user    string
		filter  events.Filter
		allowed bool
	}{
		{"system", events.All(events.StreamLedger), true},
		{"system", events.WorkFilter(exchange.CommandRejected, "", ""), true},
		{"system", events.WorkFilter(events.ObjectSealed, "", ""), false},
		{"system", events.CommandsFilter(), false},
		{"dashboard", events.All(events.StreamDead), true},
		{"pin", events.All(events.StreamLedger), false},
	} {
		t.Run(c.user+" "+c.filter.Subject, func(t *testing.T) {
			sub, err := b.Connect(t, c.user).Subscribe(t.Context(), c.filter)
			if err != nil {
				t.Fatal(err)
			}
			defer sub.Close()
			wait, cancel := timeout(t, 200*time.Millisecond)
			defer cancel()
			if _, err = sub.Next(wait); errors.Is(err, bus.ErrPermission) == c.allowed {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestNobodyAnonymous: a key of the list is needed, and the right authority.
func TestNobodyAnonymous(t *testing.T) {
	b := bustest.Start(t, "health")
	if nc, err := nats.Connect(b.URL(), nats.RootCAs(b.Dir+"/ca.pem")); err == nil {
		nc.Close()
		t.Error("a client without a key was admitted")
	}
	other := bustest.Start(t, "census")
	cfg := b.Config("system")
	cfg.NKeys = other.Config("system").NKeys
	if c, err := bus.Connect(t.Context(), cfg); !errors.Is(err, bus.ErrPermission) {
		t.Errorf("a key of another department: %v", err)
		c.Close()
	}
	cfg = b.Config("system")
	cfg.CA = other.Config("system").CA
	if c, err := bus.Connect(t.Context(), cfg); err == nil {
		c.Close()
		t.Error("a server of another authority was trusted")
	}
}
