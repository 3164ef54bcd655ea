package pin

import (
	"slices"
	"strings"
	"testing"
	"time"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/crypto/keystore"
	"chancery/events"
	"chancery/events/bus"
	"chancery/test/bustest"
	"chancery/test/workertest"
	"chancery/workers"
	"chancery/workers/journal"
)

var dataset = exchange.DatasetID("CensusMSP", "population")

// scene is census, which sealed an object.
type scene struct {
	ledger *workertest.Ledger
	node   *workertest.Node
	vault  *workertest.Vault
	bus    *bus.Conn
	object journal.Object
	said   events.Sealed
}

func newScene(t *testing.T, b *bustest.Bus) *scene {
	t.Helper()
	s := &scene{ledger: workertest.NewLedger(), node: workertest.NewNode(), vault: workertest.NewVault(t), bus: b.Connect(t, Name)}
	s.object = s.vault.Seal(t, s.node, "CensusMSP", dataset, "publish-1", "a.csv", "a\n1\n", 1)
	s.said = events.Sealed{Object: s.object.ID, RegisterObject: s.object.Registration}
	return s
}

func (s *scene) hand(t *testing.T) error {
	t.Helper()
	e, err := events.NewWork(events.ObjectSealed, "census", exchange.ToAll, s.said.Object, s.said.Command, &s.said, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	w := New(Config{Department: "census", MSP: "CensusMSP", Journal: s.vault.Journal, Node: s.node, Ledger: s.ledger, Bus: s.bus})
	return workertest.Hand(t, w, e)
}

func TestRegisters(t *testing.T) {
	s := newScene(t, bustest.Start(t, "census"))
	for range 2 {
		if err := s.hand(t); err != nil {
			t.Fatal(err)
		}
	}
	told := s.ledger.Told()
	if len(told) != 2 || told[0].Op != exchange.OpObjectRegister || string(told[0].Body) != string(told[1].Body) {
		t.Fatalf("the ledger got %v", told)
	}
	if body := workertest.Body[exchange.RegisterObject](t, told[0]); body.CID != s.object.Registration.CID || body.Command != "publish-1" {
		t.Errorf("registered %+v", body)
	}
	if s.node.Pinned() != 1 {
		t.Error("not pinned")
	}
}

// TestRegistersNothing meets forged events, lost bytes and absent parts.
func TestRegistersNothing(t *testing.T) {
	b := bustest.Start(t, "census")
	other := exchange.DatasetID("CensusMSP", "salaries")
	for _, c := range []struct {
		name    string
		alter   func(t *testing.T, s *scene)
		verdict string
	}{
		{"never sealed here", func(_ *testing.T, s *scene) {
			s.said.Object = exchange.NewID(exchange.NounObject, "CensusMSP", "forged")
		}, "dead"},
		{"of an unknown dataset", func(_ *testing.T, s *scene) { s.said.Dataset = other }, "dead"},
		{"of another own dataset", func(t *testing.T, s *scene) {
			s.vault.Identity(t, keystore.Dataset(other))
			s.said.Dataset = other
		}, "dead"},
		{"other bytes", func(t *testing.T, s *scene) { s.said.CID = s.node.Put(t, []byte("forged")) }, "dead"},
		{"another size", func(_ *testing.T, s *scene) { s.said.Size++ }, "dead"},
		{"another sealed digest", func(_ *testing.T, s *scene) { s.said.SealedDigest = strings.Repeat("0", 64) }, "dead"},
		{"another content digest", func(_ *testing.T, s *scene) { s.said.ContentDigest = strings.Repeat("0", 64) }, "dead"},
		{"other rows", func(_ *testing.T, s *scene) { s.said.Rows++ }, "dead"},
		{"another command", func(_ *testing.T, s *scene) { s.said.Command = "forged" }, "dead"},
		{"another source", func(_ *testing.T, s *scene) { s.said.Source = "forged" }, "dead"},
		{"another origin", func(_ *testing.T, s *scene) { s.said.DerivedFrom = []string{strings.Repeat("0", 64)} }, "dead"},
		{"altered on the node", func(_ *testing.T, s *scene) {
			s.node.PutAt(s.object.Registration.CID, make([]byte, s.object.Registration.Size))
		}, "failed"},
		{"cut short on the node", func(_ *testing.T, s *scene) { s.node.PutAt(s.object.Registration.CID, []byte("short")) }, "failed"},
		{"lost by the node", func(_ *testing.T, s *scene) { s.node.Remove(s.object.Registration.CID) }, "later"},
		{"the node is away", func(_ *testing.T, s *scene) { s.node.Away = workertest.ErrAway }, "later"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t, b)
			c.alter(t, s)
			if err := s.hand(t); workertest.Verdict(err) != c.verdict {
				t.Errorf("verdict %v, want %s", err, c.verdict)
			}
			if told := s.ledger.Told(); len(told) > 0 {
				t.Errorf("the ledger got %v", told)
			}
		})
	}
}

// TestLedger meets a ledger that is away, busy, or refuses. A refusal is
// answered to the command's sender.
func TestLedger(t *testing.T) {
	for _, c := range []struct {
		name     string
		code     exchange.Code
		err      error
		verdict  string
		answered bool
	}{
		{"away", "", ledger.ErrUnreachable, "later", false},
		{"at fault", "", ledger.ErrFault, "failed", false},
		{"busy", exchange.Again, nil, "later", false},
		{"there already", exchange.Exists, nil, "done", false},
		{"withdrawn", exchange.Conflict, nil, "dead", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := bustest.Start(t, "census")
			s := newScene(t, b)
			s.ledger.Answer = func(exchange.Operation) (exchange.Outcome, error) {
				return exchange.Outcome{Code: c.code, Message: "it is withdrawn"}, c.err
			}
			if err := s.hand(t); workertest.Verdict(err) != c.verdict {
				t.Errorf("verdict %v, want %s", err, c.verdict)
			}
			answers := workertest.Stored(t, b, events.StreamWork)
			if !c.answered && len(answers) == 0 {
				return
			}
			if len(answers) != 1 || answers[0].Correlation != "publish-1" {
				t.Fatalf("answers %v", answers)
			}
			said, err := events.Payload[events.Rejected](answers[0])
			if err != nil || said.Code != c.code || said.Op != string(events.DatasetPublish) || said.Message != "it is withdrawn" {
				t.Errorf("answered %+v, %v", said, err)
			}
		})
	}
}

func TestMalformed(t *testing.T) {
	s := newScene(t, bustest.Start(t, "census"))
	e, err := events.NewWork(events.ObjectSealed, "census", exchange.ToAll, s.said.Object, s.said.Command, &s.said, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, data := range []string{`{}`, `{"object":"o-1"}`, strings.Replace(string(e.Data), "{", `{"extra":1,`, 1)} {
		e.Data = slices.Clone([]byte(data))
		w := New(Config{Department: "census", Journal: s.vault.Journal, Node: s.node, Ledger: s.ledger, Bus: s.bus})
		if err := workertest.Hand(t, w, e); !workers.Rejected(err) {
			t.Errorf("%s: verdict %v", data, err)
		}
	}
}
