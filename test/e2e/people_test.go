package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"chancery/chaincode/exchange"
)

// TestWhatPeopleDecide walks an officer's verbs over the real ledger: terms that
// demand an officer's word on a version, the word, an officer who is suspended
// and reinstated, and a file that is fetched again.
func TestWhatPeopleDecide(t *testing.T) {
	n := shared(t)
	ada := "ada-" + newTable(t, "census").name
	n.must(t, "officer", "enrol", ada, "-d", "census", "--role", "officer")
	s, object := n.publish(t, "census")
	n.must(t, "dataset", "terms", s.owner+"/"+s.name, "-d", "census", "--as", ada, "--certified", "--attestations", "1")
	n.fails(t, 3, []string{"denied"}, "dataset", "terms", s.owner+"/"+s.name, "-d", "health", "--max-uses", "9")

	asked := n.open(t, "health", s)
	n.must(t, "officer", "suspend", ada, "-d", "census", "--reason", "on leave")
	n.fails(t, 3, []string{"denied", "suspended"}, "grant", "give", asked.ID, "-d", "census", "--as", ada)
	n.must(t, "officer", "reinstate", ada, "-d", "census", "--reason", "back")
	given := ask[outcome](t, n, "grant", "give", asked.ID, "-d", "census", "--as", ada, "--uses", "1")

	n.fails(t, 5, []string{"conflict"}, "grant", "redeem", given.ID, "--slot", "0", "-d", "health") // not certified
	n.must(t, "dataset", "certify", object.ID, "-d", "census", "--as", ada, "--statement", "checked against the register")
	n.delivered(t, "health", given.ID, s)

	again := filepath.Join(t.TempDir(), "again.csv")
	n.must(t, "object", "fetch", given.ID, "-d", "health", "--output", again)
	if content, err := os.ReadFile(again); err != nil || !bytes.Equal(content, s.content) {
		t.Errorf("fetched again: %d bytes of %d (%v)", len(content), len(s.content), err)
	}
	n.fails(t, 3, []string{"denied"}, "object", "fetch", given.ID, "-d", "labor", "--output", again+"2")

	block := n.block(t, "health", ask[exchange.Object](t, n, "object", "show", object.ID).CID)
	flip(t, block)
	n.fails(t, 6, nil, "object", "fetch", given.ID, "-d", "health", "--output", again+"3")
	flip(t, block)
	if _, err := os.Stat(again + "3"); err == nil {
		t.Error("altered bytes were left as a file")
	}

	n.must(t, "dataset", "withdraw", s.owner+"/"+s.name, "-d", "census", "--as", ada, "--reason", "superseded")
	n.fails(t, 5, []string{"conflict", string(exchange.Withdrawn)}, "request", "open", s.owner+"/"+s.name, "-d", "labor",
		"--purpose", "planning", "--legal-basis", "Statistics Act, section 5")
}
