package e2e

import (
	"fmt"
	"slices"
	"syscall"
	"testing"

	"chancery/chaincode/exchange"
	"chancery/events"
)

// TestKilledParts kills one part after the other while a share and a
// publication are under way: both are completed, each step of theirs once, and
// every department has heard the same.
func TestKilledParts(t *testing.T) {
	n := shared(t)
	s, _ := n.publish(t, "census")
	for _, part := range []string{
		"census-peer", "census-chaincode", "census-kubo", "census-bus", "census-workers", "health-workers", "orderer",
	} {
		t.Run(part, func(t *testing.T) {
			n.awaitHealthy(t)
			grant := n.give(t, "census", n.open(t, "health", s).ID).ID
			command := ask[outcome](t, n, append(newTable(t, "census").publishing(), "--no-wait")...).Command
			n.kill(t, part)
			n.delivered(t, "health", grant, s)
			object := exchange.NewID(exchange.NounObject, n.profile(t, "census").MSP, command)
			n.attested(t, object, 2)
			checkOnce(t, n.settled(t), map[string]int{
				"grant.given " + grant: 1, "grant.redeemed " + grant: 1, "key.released " + grant: 1, "receipt.filed " + grant: 1,
				"object.registered " + object: 1, "object.attested " + object: 2,
			})
		})
	}
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

// checkOnce counts events by type and record.
func checkOnce(t *testing.T, list []events.Envelope, want map[string]int) {
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

// TestCommandsWait publishes commands while the department's workers are down.
func TestCommandsWait(t *testing.T) {
	n := shared(t)
	n.awaitHealthy(t)
	s, _ := n.publish(t, "census")
	health := n.system(t, "health")
	n.signal(t, "health-workers", syscall.SIGSTOP)
	var ids []string
	for i := range 20 {
		id := fmt.Sprintf("waiting-%s-%d", s.name, i)
		health.command(t, "request.open", id, asking("census/"+s.name))
		ids = append(ids, id)
	}
	n.kill(t, "health-workers")
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
	checkOnce(t, n.settled(t), want)
}
