package encrypt

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"chancery/chaincode/exchange"
	"chancery/crypto/envelope"
	"chancery/events"
	"chancery/events/bus"
	"chancery/test/bustest"
	"chancery/test/workertest"
	"chancery/workers"
	"chancery/workers/journal"
)

const (
	content = "county,people\nKent,12\nDover,7\n"
	name    = "population.csv"
)

var dataset = exchange.DatasetID("CensusMSP", "population")

// scene is census, where a file is staged.
type scene struct {
	bustest *bustest.Bus
	bus     *bus.Conn
	ledger  *workertest.Ledger
	node    *workertest.Node
	vault   *workertest.Vault
	spool   string
	staged  events.Staged
	dataset exchange.Dataset
}

func newScene(t *testing.T, b *bustest.Bus) *scene {
	t.Helper()
	s := &scene{
		bustest: b, bus: b.Connect(t, Name), ledger: workertest.NewLedger(), node: workertest.NewNode(),
		vault: workertest.NewVault(t), spool: t.TempDir(),
		staged: events.Staged{
			Object: exchange.NewID(exchange.NounObject, "CensusMSP", "publish-1"), Dataset: dataset,
			Command: "publish-1", File: name, Source: "the bureau",
		},
		dataset: exchange.Dataset{ID: dataset, Name: "population", Owner: "census", Description: exchange.Description{
			MediaType: "text/csv",
			Columns:   []exchange.Column{{Name: "county", Type: exchange.String}, {Name: "people", Type: exchange.Integer}},
		}},
	}
	s.write(t, content)
	return s
}

func (s *scene) file() string { return filepath.Join(s.spool, name) }

func (s *scene) write(t *testing.T, content string) {
	t.Helper()
	if err := os.WriteFile(s.file(), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (s *scene) worker() workers.Worker {
	return New(Config{
		Department: "census", MSP: "CensusMSP", Spool: s.spool, Keys: s.vault.Keys, Journal: s.vault.Journal,
		Node: s.node, Ledger: s.ledger, Bus: s.bus,
	})
}

// hand gives the worker the event of the staged file.
func (s *scene) hand(t *testing.T) error {
	t.Helper()
	s.ledger.Put(t, exchange.NounDataset, dataset, s.dataset)
	e, err := events.NewWork(events.ObjectStaged, "census", exchange.ToAll, s.staged.Object, s.staged.Command, &s.staged, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return workertest.Hand(t, s.worker(), e)
}

// said is the only event on the bus, read as T.
func said[T any, P interface {
	*T
	exchange.Body
}](t *testing.T, s *scene, kind exchange.EventType) T {
	t.Helper()
	list := workertest.Stored(t, s.bustest, events.StreamWork)
	if len(list) != 1 || list[0].Address.Event() != kind {
		t.Fatalf("said %v, want one %s", list, kind)
	}
	v, err := events.Payload[T, P](list[0])
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// journalled is what the journal holds of the object.
func (s *scene) journalled(t *testing.T) journal.Object {
	t.Helper()
	o, err := s.vault.Journal.Object(s.staged.Object, dataset)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// open reads the object on the node with the journalled key.
func (s *scene) open(t *testing.T, o journal.Object) string {
	t.Helper()
	sealed, err := s.node.CatOffline(t.Context(), o.Registration.CID)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(sealed)
	if err != nil {
		t.Fatal(err)
	}
	digest, err1 := envelope.ParseDigest(o.Registration.SealedDigest)
	salted, err2 := envelope.ParseDigest(o.Registration.ContentDigest)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	var opened bytes.Buffer
	c := envelope.Commitment{SealedDigest: digest, SealedSize: o.Registration.Size, SaltedDigest: salted}
	if _, err := envelope.Open(&opened, bytes.NewReader(data), o.Key, o.Salt, c); err != nil {
		t.Fatal(err)
	}
	return opened.String()
}
