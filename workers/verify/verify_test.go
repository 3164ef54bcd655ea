package verify

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/crypto/keystore"
	"chancery/test/workertest"
	"chancery/workers"
	"chancery/workers/ipfs"
)

// scene is labor, which hears of an object of census.
type scene struct {
	ledger *workertest.Ledger
	node   *workertest.Node
	object exchange.Object
}

func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{ledger: workertest.NewLedger(), node: workertest.NewNode()}
	census := workertest.NewVault(t)
	dataset := exchange.DatasetID("CensusMSP", "population")
	census.Identity(t, keystore.Dataset(dataset))
	s.object = workertest.Registered(census.Seal(t, s.node, "CensusMSP", dataset, "publish-1", "a.csv", "a\n1\n", 1), "census")
	return s
}

func (s *scene) hand(t *testing.T) error {
	t.Helper()
	w := New(Config{Department: "labor", Node: s.node, Ledger: s.ledger})
	return workertest.Hand(t, w, workertest.OnLedger(t, workertest.Event(t, exchange.ObjectRegistered, "census", "all", s.object.ID, s.object)))
}

func TestVerdicts(t *testing.T) {
	for _, c := range []struct {
		name   string
		alter  func(s *scene)
		want   exchange.Verdict
		reason string
		found  bool
	}{
		{"good", func(*scene) {}, exchange.Good, "", false},
		{"another digest", func(s *scene) { s.object.SealedDigest = strings.Repeat("0", 64) }, exchange.Bad, "another digest", true},
		{"other bytes", func(s *scene) { s.node.PutAt(s.object.CID, make([]byte, s.object.Size)) }, exchange.Bad, "another digest", true},
		{"longer than said", func(s *scene) { s.object.Size-- }, exchange.Bad, "longer than", false},
		{"much longer than said", func(s *scene) { s.node.PutAt(s.object.CID, make([]byte, 1<<20)) }, exchange.Bad, "longer than", false},
		{"shorter than said", func(s *scene) { s.object.Size++ }, exchange.Bad, "in place of", true},
		{"empty", func(s *scene) { s.node.PutAt(s.object.CID, nil) }, exchange.Bad, "0 bytes in place of", true},
		{"at no address", func(s *scene) { s.object.CID = "bafkqaaa" }, exchange.Bad, "invalid CID", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t)
			c.alter(s)
			for range 2 { // a repeat says the same
				if err := s.hand(t); err != nil {
					t.Fatal(err)
				}
			}
			told := s.ledger.Told()
			if len(told) != 2 || told[0].Op != exchange.OpObjectAttest || string(told[0].Body) != string(told[1].Body) {
				t.Fatalf("the ledger got %v", told)
			}
			body := workertest.Body[exchange.AttestObject](t, told[0])
			if body.Object != s.object.ID || body.Verdict != c.want || !strings.Contains(body.Reason, c.reason) || (body.Found != "") != c.found {
				t.Errorf("attested %+v", body)
			}
			if pinned := s.node.Pinned() == 1; pinned != (c.want == exchange.Good) {
				t.Errorf("kept a replica: %t", pinned)
			}
		})
	}
}

// TestNoVerdict meets what tells nothing of the object.
func TestNoVerdict(t *testing.T) {
	refused := func(code exchange.Code) func(s *scene) {
		return func(s *scene) {
			s.ledger.Answer = func(exchange.Operation) (exchange.Outcome, error) {
				return exchange.Outcome{Code: code, Message: "why"}, nil
			}
		}
	}
	for _, c := range []struct {
		name    string
		alter   func(s *scene)
		verdict string
	}{
		{"own object", func(s *scene) { s.object.Owner = "labor" }, "done"},
		{"nobody offers it", func(s *scene) { s.node.Remove(s.object.CID) }, "failed"}, // counts, so that it ends
		{"the node is away", func(s *scene) { s.node.Away = workertest.ErrAway }, "later"},
		{"the node has a damaged block", func(s *scene) { s.node.Away = fmt.Errorf("ipfs cat: %w", ipfs.ErrDamaged) }, "failed"},
		{"the ledger is away", func(s *scene) { s.ledger.Away = ledger.ErrUnknownOutcome }, "later"},
		{"the ledger is at fault", func(s *scene) { s.ledger.Away = errors.New("broken") }, "failed"},
		{"others in the way", refused(exchange.Again), "later"},
		{"the ledger refuses", refused(exchange.Denied), "dead"},
		{"a malformed id", func(s *scene) { s.object.ID = "o-1" }, "failed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t)
			c.alter(s)
			if err := s.hand(t); workertest.Verdict(err) != c.verdict {
				t.Errorf("verdict %v, want %s", err, c.verdict)
			}
		})
	}
}

func TestMalformed(t *testing.T) {
	s := newScene(t)
	e := workertest.OnLedger(t, exchange.Event{Type: exchange.ObjectRegistered, From: "census", To: "all", ID: s.object.ID, Data: []byte(`{"size":"big"}`)})
	if err := workertest.Hand(t, New(Config{Department: "labor", Node: s.node, Ledger: s.ledger}), e); !workers.Rejected(err) {
		t.Errorf("verdict %v", err)
	}
	if len(s.ledger.Told()) > 0 {
		t.Errorf("the ledger got %v", s.ledger.Told())
	}
}
