package e2e

import (
	"fmt"
	"slices"
	"syscall"
	"testing"

	"chancery/chaincode/exchange"
	"chancery/events"
)

// TestKilledParts kills one part after the other, each while a share and a
// publication are under way. Once it is back, the next publication is done; in
// the end everything is, each step once, and every department has heard the
// same.
func TestKilledParts(t *testing.T) {
	n := shared(t)
	s, _ := n.publish(t, "census")
	health := n.system(t, "health")
	letters := n.letters(t)
	var begun []underWay
	var waiting []string
	for _, part := range []string{
		"census-peer", "census-chaincode", "census-kubo", "census-bus", "census-workers", "health-workers", "orderer",
	} {
		t.Run(part, func(t *testing.T) {
			n.awaitHealthy(t)
			begun = append(begun, n.begin(t, part, s))
			if part == "health-workers" {
				waiting = n.commandsWhileDown(t, health, part, s)
			}
			n.kill(t, part)
			n.publish(t, "census")
		})
	}
	for _, u := range begun {
		t.Run("what the kill of "+u.part+" met", func(t *testing.T) { n.finished(t, u, s) })
	}
	t.Run("commands while workers were down", func(t *testing.T) { n.answered(t, health, waiting) })
	n.settled(t)
	if after := n.letters(t); !slices.Equal(letters, after) {
		t.Errorf("dead letters were %v, are %v", letters, after)
	}
}

// underWay is a share and a publication of census that were begun just before a
// part was killed.
type underWay struct{ part, grant, object string }

func (n network) begin(t *testing.T, part string, s table) underWay {
	t.Helper()
	grant := n.give(t, "census", n.open(t, "health", s).ID).ID
	command := ask[outcome](t, n, append(newTable(t, "census").publishing(), "--no-wait")...).Command
	return underWay{part, grant, exchange.NewID(exchange.NounObject, n.profile(t, "census").MSP, command)}
}

// finished waits until both are done.
func (n network) finished(t *testing.T, u underWay, s table) {
	n.delivered(t, "health", u.grant, s)
	n.attested(t, u.object, 2)
	checkCounts(t, n.settled(t), map[string]int{
		"grant.given " + u.grant: 1, "grant.redeemed " + u.grant: 1, "key.released " + u.grant: 1, "receipt.filed " + u.grant: 1,
		"object.registered " + u.object: 1, "object.attested " + u.object: 2,
	})
}

// commandsWhileDown publishes commands that no worker can take: the workers
// stand still until they are killed.
func (n network) commandsWhileDown(t *testing.T, health *system, part string, s table) (ids []string) {
	t.Helper()
	n.signal(t, part, syscall.SIGSTOP)
	for i := range 20 {
		id := fmt.Sprintf("waiting-%s-%d", s.name, i)
		health.command(t, "request.open", id, asking("census/"+s.name))
		ids = append(ids, id)
	}
	return ids
}

// answered waits until every command is answered and has made one request.
func (n network) answered(t *testing.T, health *system, ids []string) {
	requests := map[string]string{}
	for len(requests) < len(ids) {
		r := health.reply(t, "the waiting commands", func(r reply) bool { return slices.Contains(ids, r.Command) })
		requests[r.Command] = r.ID
		if r.refused {
			t.Errorf("%s is answered %+v", r.Command, r)
		}
	}
	want := map[string]int{}
	for _, request := range requests {
		want["request.opened "+request] = 1
	}
	checkCounts(t, n.settled(t), want)
}

// attested waits until so many departments have called an object good.
func (n network) attested(t *testing.T, object string, by int) {
	t.Helper()
	c := n.client(t, "census", string(exchange.Auditor))
	await(t, "attestations of "+object, func() error {
		page, err := c.List(t.Context(), exchange.Query{Noun: exchange.NounAttestation, Parent: object, State: string(exchange.Good)})
		if err == nil && len(page.Records) < by {
			err = fmt.Errorf("%d: %w", len(page.Records), errNotYet)
		}
		return err
	})
}

// checkCounts counts events by type and record.
func checkCounts(t *testing.T, list []events.Envelope, want map[string]int) {
	t.Helper()
	got := map[string]int{}
	for _, e := range list {
		got[string(e.Address.Event())+" "+e.About]++
	}
	for what, count := range want {
		if got[what] != count {
			t.Errorf("%s: %d times, want %d", what, got[what], count)
		}
	}
}
