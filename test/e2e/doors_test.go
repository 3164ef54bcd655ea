package e2e

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"chancery/chaincode/exchange"
	"chancery/events"
	"chancery/events/bus"
)

// many is how many commands wait for a peer that is down.
const many = 10_000

// bus connects as a user of a department, as its systems written in Go do.
func (n network) bus(t *testing.T, department, user string) *bus.Conn {
	t.Helper()
	p := n.profile(t, department)
	c, err := bus.Connect(t.Context(), bus.Config{URL: p.Bus.URL, CA: p.Bus.CA, NKeys: p.Bus.NKeys, User: user})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// requests are commands of health for a table, one for each id.
func requests(t *testing.T, s table, prefix string, n int) []events.Envelope {
	t.Helper()
	list := make([]events.Envelope, n)
	for i := range list {
		var err error
		list[i], err = events.NewCommand("health", events.RequestOpen, fmt.Sprint(prefix, i), &exchange.OpenRequest{
			Dataset: s.owner + "/" + s.name, Purpose: "planning", LegalBasis: "Statistics Act, section 5",
			Actions: []exchange.Action{exchange.Read}, ValidFor: 3600, Uses: 1,
		}, time.Now())
		if err != nil {
			t.Fatal(err)
		}
	}
	return list
}

func askAt(t *testing.T, c *bus.Conn, e events.Envelope, limit time.Duration) (events.Answer, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	return c.Ask(ctx, e)
}

// TestDoors says commands by both doors of intake over a real ledger: one at a
// time and answered after the commit, and 10,000 in atomic batches while the
// peer stands still, before an orderer is killed. Each is done once.
func TestDoors(t *testing.T) {
	n := newNetwork(t, "doors")
	n.up(t)
	s, _ := n.publish(t, "census")
	system := n.bus(t, "health", bus.UserSystem)

	t.Run("one command by both", func(t *testing.T) { n.bothDoors(t, system, requests(t, s, "both-", 1)[0]) })
	t.Run("another department's", func(t *testing.T) {
		foreign := n.bus(t, "labor", bus.UserSystem)
		if a, err := askAt(t, foreign, requests(t, s, "foreign-", 1)[0], 5*time.Second); !errors.Is(err, bus.ErrPermission) {
			t.Errorf("answered %+v, %v", a, err)
		}
	})
	t.Run("while the peer is down", func(t *testing.T) { n.whileDown(t, system, s) })
	n.settled(t)
	if letters := n.letters(t); letters[1] > 0 {
		t.Errorf("health has %d dead letters", letters[1])
	}
}

// bothDoors asks for a command, which is on the ledger when the answer comes,
// and says it again by either door.
func (n network) bothDoors(t *testing.T, system *bus.Conn, e events.Envelope) {
	first, err := askAt(t, system, e, 30*time.Second)
	if err != nil || first.Err() != nil {
		t.Fatalf("answered %+v, %v", first, err)
	}
	if first.Accepted.Repeated || n.absent(t, exchange.NounRequest, first.Accepted.ID) {
		t.Errorf("accepted %+v", first.Accepted)
	}
	again, err := askAt(t, system, e, 30*time.Second)
	if err != nil || again.Err() != nil || !again.Accepted.Repeated || again.Accepted.ID != first.Accepted.ID || again.Accepted.Tx != first.Accepted.Tx {
		t.Errorf("again: %+v, %v", again, err)
	}
	if _, err := system.Publish(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	await(t, "three answers", func() error {
		if told := n.told(t)[e.ID]; told != 3 {
			return fmt.Errorf("%d answers: %w", told, errNotYet)
		}
		return nil
	})
}

// told counts what health's stream WORK says of each command.
func (n network) told(t *testing.T) map[string]int {
	t.Helper()
	count := make(map[string]int)
	for _, e := range n.stream(t, "health", events.StreamWork) {
		if e.Address.Event() == events.CommandAccepted {
			count[e.Correlation]++
		}
	}
	return count
}

// whileDown stores commands while health's peer stands still, twice, as after a
// commit of which nothing was heard; asks at the door, which says that there is
// no outcome; and kills the orderer once the peer goes on.
func (n network) whileDown(t *testing.T, system *bus.Conn, s table) {
	list := requests(t, s, "down-", many)
	n.signal(t, "health-peer", syscall.SIGSTOP)
	stopped := true
	goOn := func() {
		if stopped {
			n.signal(t, "health-peer", syscall.SIGCONT)
			stopped = false
		}
	}
	defer goOn()
	for round := range 2 {
		stored, err := system.PublishAll(t.Context(), list)
		if err != nil {
			t.Fatal(err)
		}
		for i := range stored {
			if stored[i].Duplicate != (round == 1) || stored[i].Sequence == 0 {
				t.Fatalf("command %d, round %d: %+v", i, round, stored[i])
			}
		}
	}
	late := requests(t, s, "late-", 1)[0]
	if a, err := askAt(t, system, late, 2*time.Second); err != nil || a.Unsettled == nil {
		t.Errorf("without a peer: %+v, %v", a, err)
	}
	goOn()
	n.kill(t, "orderer")
	if a, err := askAt(t, system, late, 80*time.Second); err != nil || a.Err() != nil {
		t.Errorf("with a peer: %+v, %v", a, err)
	}
	opened := func() map[string]int {
		count := make(map[string]int)
		for _, e := range n.stream(t, "health", events.StreamLedger) {
			if e.Address.Event() == exchange.RequestOpened && strings.HasPrefix(e.Correlation, "down-") {
				count[e.Correlation]++
			}
		}
		return count
	}
	if err := poll(4*patience, func() error {
		if done, told := len(opened()), len(n.told(t)); done < many || told < many+2 {
			return fmt.Errorf("%d of %d are done, %d told: %w", done, many, told, errNotYet)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for id, times := range opened() {
		if times != 1 {
			t.Errorf("%s was done %d times", id, times)
		}
	}
}
