package intake

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"chancery/chaincode/exchange"
	"chancery/events"
)

// TestPublish stages a file once, whatever is repeated.
func TestPublish(t *testing.T) {
	s := newScene(t)
	e := s.command(events.DatasetPublish, "p-1", publication("population.csv"))
	for seq := range uint64(3) {
		if err := s.deliver(e, seq); err != nil {
			t.Fatal(err)
		}
		os.Remove(filepath.Join(s.spool, "population.csv")) // it may be gone once the command is known
	}
	staged := s.staged()
	want := events.Staged{
		Object: exchange.NewID(exchange.NounObject, "CensusMSP", "p-1"), Dataset: dataset, Command: "p-1", File: "population.csv", Source: "the bureau",
	}
	if len(staged) != 1 || staged[0].Object != want.Object || staged[0].Dataset != want.Dataset || staged[0].Command != want.Command ||
		staged[0].File != want.File || staged[0].Source != want.Source {
		t.Errorf("staged %+v, want once %+v", staged, want)
	}
	if list := s.answers(3); len(list) != 3 || slices.ContainsFunc(list, func(e events.Envelope) bool { return e.Address.Event() != events.CommandAccepted }) {
		t.Errorf("answered %v", list)
	}
	if ops := s.ledger.Told(); len(ops) != 3 || ops[0].Op != exchange.OpDatasetRegister || ops[0].Command != "p-1" {
		t.Errorf("the ledger got %v", ops)
	}
}

// TestPublished repeats a command whose version is on the ledger: nothing is
// left to do for the same, and another file is a conflict.
func TestPublished(t *testing.T) {
	for name, c := range map[string]struct {
		alter func(b *events.PublishDataset)
		want  exchange.Code
	}{
		"the same":       {func(*events.PublishDataset) {}, ""},
		"another file":   {func(b *events.PublishDataset) { b.File = "other.csv" }, exchange.Conflict},
		"another source": {func(b *events.PublishDataset) { b.Source = "elsewhere" }, exchange.Conflict},
		"another origin": {func(b *events.PublishDataset) { b.DerivedFrom = []string{strings.Repeat("0", 64)} }, exchange.Conflict},
		"another title":  {func(b *events.PublishDataset) { b.Dataset.Title = "Else" }, exchange.Conflict},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			body := publication("population.csv")
			if err := s.deliver(s.command(events.DatasetPublish, "p-1", body), 1); err != nil {
				t.Fatal(err)
			}
			id := exchange.NewID(exchange.NounObject, "CensusMSP", "p-1")
			s.ledger.Put(t, exchange.NounObject, id, exchange.Object{ID: id, Dataset: dataset, Version: 1, FileName: body.File, Source: body.Source})
			c.alter(body)
			if err := s.deliver(s.command(events.DatasetPublish, "p-1", body), 2); err != nil {
				t.Fatal(err)
			}
			refused := s.refusals(2)
			if c.want == "" && len(refused) > 0 || c.want != "" && (len(refused) != 1 || refused[0].Code != c.want) {
				t.Errorf("answered %+v, want %q", refused, c.want)
			}
			if n := len(s.staged()); n != 1 {
				t.Errorf("staged %d times", n)
			}
		})
	}
}

// TestAnotherFile stages another file under a command before the first is on
// the ledger: encrypt, which knows what it sealed, decides.
func TestAnotherFile(t *testing.T) {
	s := newScene(t)
	s.write("other.csv", "a\n2\n")
	for seq, file := range []string{"population.csv", "other.csv", "population.csv"} {
		if err := s.deliver(s.command(events.DatasetPublish, "p-1", publication(file)), uint64(seq)); err != nil {
			t.Fatal(err)
		}
	}
	if staged := s.staged(); len(staged) != 2 || staged[0].File != "population.csv" || staged[1].File != "other.csv" {
		t.Errorf("staged %+v", staged)
	}
}

// TestBadFiles names files that cannot be published. Nothing is registered.
func TestBadFiles(t *testing.T) {
	s := newScene(t)
	s.write("empty.csv", "")
	for seq, c := range []struct {
		file   string
		code   exchange.Code
		reason string
	}{
		{"missing.csv", exchange.NotFound, "missing.csv"},
		{"empty.csv", exchange.Invalid, "empty"},
	} {
		if err := s.deliver(s.command(events.DatasetPublish, "p-"+c.file, publication(c.file)), uint64(seq)); err != nil {
			t.Fatal(err)
		}
		got := s.refusals(seq + 1)
		if last := got[len(got)-1]; last.Code != c.code || !strings.Contains(last.Message, c.reason) || last.Op != "dataset.publish" {
			t.Errorf("answered %+v", last)
		}
	}
	if told := s.ledger.Told(); len(told) > 0 || len(s.staged()) > 0 {
		t.Errorf("the ledger got %v", told)
	}
}
