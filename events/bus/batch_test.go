package bus_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"chancery/events"
	"chancery/events/bus"
	"chancery/test/bustest"
)

func withdrawals(t *testing.T, prefix string, n int) []events.Envelope {
	t.Helper()
	list := make([]events.Envelope, n)
	for i := range list {
		list[i] = withdraw(t, "health", fmt.Sprint(prefix, i))
	}
	return list
}

// storedIDs reads the ids of the commands that a stream holds, in its order.
func storedIDs(t *testing.T, b *bustest.Bus) []string {
	t.Helper()
	var ids []string
	err := b.Connect(t, bus.UserDashboard).Read(t.Context(), events.CommandsFilter(), 0, func(m *bus.Message) error {
		if m.Err != nil {
			return m.Err
		}
		ids = append(ids, m.ID)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

// TestPublishAll stores more than a batch and says of each where it is.
func TestPublishAll(t *testing.T) {
	b := bustest.Start(t, "health")
	c := b.Connect(t, bus.UserSystem)
	list := withdrawals(t, "c-", 2*bus.MaxBatch+137)
	stored, err := c.PublishAll(t.Context(), list)
	if err != nil {
		t.Fatal(err)
	}
	ids := storedIDs(t, b)
	if len(ids) != len(list) {
		t.Fatalf("%d of %d are stored", len(ids), len(list))
	}
	for i, s := range stored {
		if s.Duplicate || s.Stream != events.StreamCommands || s.Sequence != uint64(i+1) || ids[i] != list[i].ID {
			t.Fatalf("command %d: %+v, there is %s", i, s, ids[i])
		}
	}
	if stored, err := c.PublishAll(t.Context(), nil); err != nil || len(stored) != 0 {
		t.Errorf("nothing: %v, %v", stored, err)
	}
}

// TestPublishAllAgain says what is there already, as after a commit of which
// nothing was heard: all of it, some of it, and one thing twice in one call.
func TestPublishAllAgain(t *testing.T) {
	b := bustest.Start(t, "health")
	c := b.Connect(t, bus.UserSystem)
	old := withdrawals(t, "old-", 100)
	first, err := c.PublishAll(t.Context(), old)
	if err != nil {
		t.Fatal(err)
	}
	again, err := c.PublishAll(t.Context(), old)
	if err != nil {
		t.Fatal(err)
	}
	for i := range again {
		if !again[i].Duplicate || again[i].Sequence != first[i].Sequence {
			t.Fatalf("command %d: first %+v, again %+v", i, first[i], again[i])
		}
	}
	mixed := withdrawals(t, "new-", 60)
	mixed[0], mixed[17], mixed[59] = old[3], old[4], old[5]
	mixed[30] = mixed[29]
	stored, err := c.PublishAll(t.Context(), mixed)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range stored {
		repeated := i == 0 || i == 17 || i == 59 || i == 30
		if s.Duplicate != repeated || s.Sequence == 0 {
			t.Errorf("command %d: %+v", i, s)
		}
	}
	if stored[0].Sequence != first[3].Sequence || stored[30].Sequence != stored[29].Sequence {
		t.Errorf("repeats stand at %d and %d", stored[0].Sequence, stored[30].Sequence)
	}
	seen := make(map[string]int)
	for _, id := range storedIDs(t, b) {
		seen[id]++
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("%s is stored %d times", id, n)
		}
	}
	if len(seen) != 100+60-4 {
		t.Errorf("%d commands are stored", len(seen))
	}
}

// TestPublishAllAtOnce has several publishers say the same things.
func TestPublishAllAtOnce(t *testing.T) {
	b := bustest.Start(t, "health")
	list := withdrawals(t, "c-", 300)
	var wg sync.WaitGroup
	for range 4 {
		c := b.Connect(t, bus.UserSystem)
		wg.Go(func() {
			if _, err := c.PublishAll(t.Context(), list); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if ids := storedIDs(t, b); len(ids) != len(list) {
		t.Errorf("%d of %d are stored", len(ids), len(list))
	}
}

// TestPublishAllRefused: one department's systems cannot hide another's command
// in a batch, and what is refused stores nothing.
func TestPublishAllRefused(t *testing.T) {
	b := bustest.Start(t, "health")
	foreign := withdraw(t, "census", "c-1")
	for name, list := range map[string][]events.Envelope{
		"all":    {foreign, withdraw(t, "census", "c-2")},
		"first":  {foreign, withdraw(t, "health", "c-2")},
		"middle": {withdraw(t, "health", "c-3"), foreign, withdraw(t, "health", "c-4")},
		"last":   {withdraw(t, "health", "c-5"), foreign},
		"ledger": {withdraw(t, "health", "c-6"), fact(t, 1, 0)},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := timeout(t, 2*time.Second)
			defer cancel()
			if stored, err := b.Connect(t, bus.UserSystem).PublishAll(ctx, list); err == nil {
				t.Errorf("stored %+v", stored)
			}
		})
	}
	if ids := storedIDs(t, b); len(ids) > 0 {
		t.Errorf("stored %q", ids)
	}
	if tail, err := b.Connect(t, bus.UserAdmin).Tail(t.Context(), events.StreamLedger); err != nil || tail.Messages > 0 {
		t.Errorf("LEDGER: %+v, %v", tail, err)
	}
}

// TestPublishAllUnreachable: a server that goes away under a publisher, and the
// same said again once it is back.
func TestPublishAllUnreachable(t *testing.T) {
	b := bustest.Start(t, "health")
	c := b.Connect(t, bus.UserSystem)
	list := withdrawals(t, "c-", 50)
	b.Stop()
	if _, err := c.PublishAll(t.Context(), list); !errors.Is(err, bus.ErrUnreachable) {
		t.Errorf("away: %v", err)
	}
	b.Resume(t)
	ctx, cancel := timeout(t, 20*time.Second)
	defer cancel()
	for {
		_, err := c.PublishAll(ctx, list)
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			t.Fatal(err)
		}
	}
	if ids := storedIDs(t, b); len(ids) != len(list) {
		t.Errorf("%d of %d are stored", len(ids), len(list))
	}
}

// TestForgedMessageID: a system that gives its command another's message id
// hides that one from the stream, and its sender is told so: nothing is stored
// that was not said, and the synchronous door does not look at message ids.
func TestForgedMessageID(t *testing.T) {
	b := bustest.Start(t, "health")
	victim, forged := withdraw(t, "health", "c-1"), withdraw(t, "health", "c-2")
	m, err := forged.Msg()
	if err != nil {
		t.Fatal(err)
	}
	v, err := victim.Msg()
	if err != nil {
		t.Fatal(err)
	}
	m.Header.Set(nats.MsgIdHdr, v.Header.Get(nats.MsgIdHdr))
	if _, err := b.Plain(t, bus.UserSystem).RequestMsgWithContext(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	stored, err := b.Connect(t, bus.UserSystem).PublishAll(t.Context(), []events.Envelope{victim, withdraw(t, "health", "c-3")})
	if err != nil || !stored[0].Duplicate || stored[0].Sequence != 1 || stored[1].Duplicate {
		t.Errorf("published %+v, %v", stored, err)
	}
	if ids := storedIDs(t, b); len(ids) != 2 || ids[0] != "c-2" || ids[1] != "c-3" {
		t.Errorf("stored %q", ids)
	}
	asked := openDoor(t, b, "intake")
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, err := b.Connect(t, bus.UserSystem).Ask(ctx, victim); err != nil {
		t.Error(err)
	}
	if got := <-asked; got.ID != "c-1" {
		t.Errorf("asked for %s", got.ID)
	}
}
