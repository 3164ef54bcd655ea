package bus_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"chancery/chaincode/exchange"
	"chancery/events"
	"chancery/events/bus"
	"chancery/test/bustest"
)

// accept is the answer that a command is done.
func accept(t *testing.T, a *bus.Asked) events.Envelope {
	t.Helper()
	id := exchange.NewID(exchange.NounOperation, "HealthMSP", "c-1")
	e, err := events.NewWork(events.CommandAccepted, "health", exchange.ToAll, id, "c-1",
		&events.Accepted{Department: "health", Command: "c-1", Op: "request.withdraw", Time: at}, at)
	if err != nil {
		t.Error(err)
	}
	return e
}

// openDoor serves the door as a user until the end of the test, accepts
// everything, and hands over what was asked.
func openDoor(t *testing.T, b *bustest.Bus, user string) <-chan *bus.Asked {
	t.Helper()
	conn := b.Connect(t, user)
	ctx, cancel := context.WithCancel(t.Context())
	asked, ready, done := make(chan *bus.Asked, 1000), make(chan bool, 1000), make(chan error, 1)
	go func() {
		done <- conn.OpenDoor(ctx, "health", func(a *bus.Asked) {
			if err := a.Reply(accept(t, a), ""); err != nil {
				t.Error(err)
			}
			if a.ID == "ready" {
				ready <- true
				return
			}
			asked <- a
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	awaitDoor(t, b.Connect(t, bus.UserSystem), ready)
	return asked
}

// awaitDoor asks until the door that reports on ready has heard it: another of
// the same department may answer in its place.
func awaitDoor(t *testing.T, system *bus.Conn, ready <-chan bool) {
	t.Helper()
	deadline, stop := timeout(t, 30*time.Second)
	defer stop()
	for {
		once, cancel := context.WithTimeout(deadline, time.Second)
		_, err := system.Ask(once, withdraw(t, "health", "ready"))
		cancel()
		select {
		case <-ready:
			return
		case <-deadline.Done():
			t.Fatalf("the door did not open: %v", err)
		default:
		}
	}
}

// TestWhoMayAsk: the department's systems, for their own department, and nobody
// else.
func TestWhoMayAsk(t *testing.T) {
	b := bustest.Start(t, "health")
	asked := openDoor(t, b, "intake")
	for _, c := range []struct {
		user, from string
		want       error
	}{
		{bus.UserSystem, "health", nil},
		{bus.UserSystem, "census", bus.ErrPermission},
		{bus.UserDashboard, "health", bus.ErrPermission},
		{bus.UserAdmin, "health", bus.ErrPermission},
		{"pin", "health", bus.ErrPermission},
		{"intake", "health", bus.ErrPermission},
	} {
		ctx, cancel := timeout(t, 5*time.Second)
		answer, err := b.Connect(t, c.user).Ask(ctx, withdraw(t, c.from, "c-1"))
		cancel()
		if !errors.Is(err, c.want) || (c.want == nil && answer.Err() != nil) {
			t.Errorf("%s for %s: %+v, %v, want %v", c.user, c.from, answer, err, c.want)
		}
	}
	if got := <-asked; got.Err != nil || got.Address.From != "health" || len(asked) > 0 {
		t.Errorf("asked %+v, and %d more", got, len(asked))
	}
	tail, err := b.Connect(t, bus.UserAdmin).Tail(t.Context(), events.StreamCommands)
	if err != nil || tail.Messages > 0 {
		t.Errorf("a stream holds what was asked: %+v, %v", tail, err)
	}
}

// TestWhoMayServe: no worker but intake, and it for its own department only.
func TestWhoMayServe(t *testing.T) {
	b := bustest.Start(t, "health")
	for _, user := range []string{"pin", "listen", bus.UserSystem, bus.UserDashboard} {
		ctx, cancel := timeout(t, 300*time.Millisecond)
		b.Connect(t, user).OpenDoor(ctx, "health", func(a *bus.Asked) { t.Errorf("%s heard %s", user, a.Subject) })
		cancel()
	}
	ctx, cancel := timeout(t, 300*time.Millisecond)
	defer cancel()
	if _, err := b.Connect(t, bus.UserSystem).Ask(ctx, withdraw(t, "health", "c-1")); !errors.Is(err, bus.ErrUnreachable) {
		t.Errorf("nobody serves: %v", err)
	}
}

// TestDoorIsShared: of two servers each request reaches one.
func TestDoorIsShared(t *testing.T) {
	b := bustest.Start(t, "health")
	one, two := openDoor(t, b, "intake"), openDoor(t, b, "intake")
	system := b.Connect(t, bus.UserSystem)
	const many = 200
	for range many {
		ctx, cancel := timeout(t, 5*time.Second)
		if _, err := system.Ask(ctx, withdraw(t, "health", "c-1")); err != nil {
			t.Fatal(err)
		}
		cancel()
	}
	count := func(c <-chan *bus.Asked) (n int) {
		for {
			select {
			case a := <-c:
				if a.ID == "c-1" {
					n++
				}
			default:
				return n
			}
		}
	}
	if a, b := count(one), count(two); a+b != many || a == 0 || b == 0 {
		t.Errorf("%d and %d requests of %d", a, b, many)
	}
}

// TestDoorDeadline reads how long a sender waits.
func TestDoorDeadline(t *testing.T) {
	b := bustest.Start(t, "health")
	asked := openDoor(t, b, "intake")
	plain := b.Plain(t, bus.UserSystem)
	for _, c := range []struct {
		values []string
		want   time.Duration // 0: refused
	}{
		{nil, events.AskTimeout}, {[]string{"1500"}, 1500 * time.Millisecond}, {[]string{"90000"}, events.MaxAskTimeout},
		{[]string{"90001"}, 0}, {[]string{"0"}, 0}, {[]string{"-5"}, 0}, {[]string{"5s"}, 0}, {[]string{""}, 0},
		{[]string{"5", "6"}, 0}, {[]string{"9999999999999999999"}, 0},
	} {
		m, err := withdraw(t, "health", "c-1").AskMsg()
		if err != nil {
			t.Fatal(err)
		}
		if c.values != nil {
			m.Header[events.TimeoutHeader] = c.values
		}
		if _, err := plain.RequestMsgWithContext(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		a := <-asked
		left := time.Until(a.Deadline)
		switch {
		case c.want == 0 && !errors.Is(a.Err, exchange.ErrInvalid):
			t.Errorf("%q: read as %s, %v", c.values, left, a.Err)
		case c.want > 0 && (a.Err != nil || left > c.want || left < c.want-time.Second):
			t.Errorf("%q: read as %s, %v, want %s", c.values, left, a.Err, c.want)
		}
	}
}

// TestRepliesCannotBeMisdirected: a system that names a subject of LEDGER for
// its answer has nothing written there.
func TestRepliesCannotBeMisdirected(t *testing.T) {
	b := bustest.Start(t, "health")
	asked := openDoor(t, b, "intake")
	m, err := withdraw(t, "health", "c-1").AskMsg()
	if err != nil {
		t.Fatal(err)
	}
	m.Reply = fact(t, 1, 0).Address.String()
	plain := b.Plain(t, bus.UserSystem)
	if err := errors.Join(plain.PublishMsg(m), plain.Flush()); err != nil {
		t.Fatal(err)
	}
	if a := <-asked; strings.HasPrefix(a.Subject, "chancery.ledger") || a.ID != "c-1" {
		t.Errorf("asked on %s", a.Subject)
	}
	// Answered only after the server took up what came before.
	if _, err := b.Connect(t, bus.UserSystem).Ask(t.Context(), withdraw(t, "health", "c-1")); err != nil {
		t.Fatal(err)
	}
	for _, stream := range []string{events.StreamLedger, events.StreamWork, events.StreamCommands} {
		if tail, err := b.Connect(t, bus.UserAdmin).Tail(t.Context(), stream); err != nil || tail.Sequence != 0 {
			t.Errorf("%s holds %+v, %v", stream, tail.Last, err)
		}
	}
}

// TestDoorIsFound by NATS's own tools, for the administrator.
func TestDoorIsFound(t *testing.T) {
	b := bustest.Start(t, "health")
	openDoor(t, b, "intake")
	found, err := b.Plain(t, bus.UserAdmin, nats.CustomInboxPrefix("_INBOX_admin")).Request("$SRV.INFO.chancery-intake", nil, 5*time.Second)
	if err != nil || !strings.Contains(string(found.Data), `"chancery.api.health.`) {
		t.Errorf("found %v, %v", found, err)
	}
}
