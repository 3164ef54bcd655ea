package provenance_test

import (
	"errors"
	"testing"
	"time"

	"chancery/chaincode/exchange"
	"chancery/test/workertest"
	"chancery/workers/provenance"
)

// TestFixedSince: a job that was read before the requester contributed, whose
// contribution is on record when it is looked for, is one to wait for.
func TestFixedSince(t *testing.T) {
	c := workertest.NewComputed(t, time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), "1", "2")
	r := provenance.Reader{
		Department: "health", MSP: c.Health.MSP, Peer: c.Health.Peer, Chaincode: workertest.Chaincode, Ledger: c.Health,
	}
	j := c.Look(t)
	if err := r.CheckFixed(t.Context(), j); err != nil {
		t.Errorf("as it is: %v", err)
	}
	requester, provides := j.Party(j.Requester)
	if !provides {
		t.Fatal("the requester provides nothing")
	}
	requester.ContributedTx = ""
	if err := r.CheckFixed(t.Context(), j); !errors.Is(err, exchange.ErrNotFound) {
		t.Errorf("as it was: %v", err)
	}
}
