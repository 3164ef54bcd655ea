package e2e

import (
	"testing"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"

	"chancery/chaincode/exchange"
)

// TestMissingBytes registers an object whose bytes no node has: whoever asks
// for them gets an answer in time, and the others' objects are still checked.
func TestMissingBytes(t *testing.T) {
	n := shared(t)
	n.awaitHealthy(t)
	s, published := n.publish(t, "labor")
	hash, err := multihash.Sum([]byte("nobody has "+s.name), multihash.SHA2_256, -1)
	if err != nil {
		t.Fatal(err)
	}
	object := ask[exchange.Object](t, n, "object", "show", published.ID)
	body := exchange.RegisterObject{
		Command: "missing-" + s.name, Dataset: published.Dataset, CID: cid.NewCidV1(cid.Raw, hash).String(),
		Size: object.Size, SealedDigest: object.SealedDigest, ContentDigest: object.ContentDigest,
		Rows: object.Rows, FileName: object.FileName,
	}
	op, err := exchange.NewOperation("", exchange.OpObjectRegister, &body)
	if err != nil {
		t.Fatal(err)
	}
	registered, err := n.client(t, "labor", string(exchange.Worker)).Invoke(t.Context(), op)
	if err != nil || registered.Err() != nil {
		t.Fatal(err, registered)
	}
	began := time.Now()
	n.fails(t, 7, []string{body.CID, "3s"}, "object", "verify", registered.ID, "-d", "health", "--timeout", "3s")
	if took := time.Since(began); took < 3*time.Second || took > 20*time.Second {
		t.Errorf("it took %s, want 3 s", took)
	}
	_, next := n.publish(t, "labor")
	n.attested(t, next.ID, 2)
	n.settled(t)
}
