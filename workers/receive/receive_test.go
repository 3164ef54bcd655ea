package receive

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/test/workertest"
	"chancery/workers"
	"chancery/workers/inbox"
)

func TestDelivers(t *testing.T) {
	s := newScene(t)
	s.play(t)
	if err := s.released(t); err != nil {
		t.Fatal(err)
	}
	s.delivered(t, content)
	want := exchange.FileReceipt{Grant: grantID, SealedDigest: s.object.SealedDigest, ContentDigest: s.object.ContentDigest, Rows: 2}
	if body := workertest.Body[exchange.FileReceipt](t, s.one(t, exchange.OpReceiptFile)); body != want {
		t.Errorf("receipt %+v, want %+v", body, want)
	}
	info, err := os.Stat(filepath.Join(s.inbox, grantID, "0", "population.csv"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// TestRepeats crashes before the receipt: the repeat delivers the same.
func TestRepeats(t *testing.T) {
	for _, lost := range []error{ledger.ErrUnreachable, ledger.ErrUnknownOutcome, errors.New("killed")} {
		s := newScene(t)
		s.play(t)
		s.ledger.Answer = func(exchange.Operation) (exchange.Outcome, error) { return exchange.Outcome{}, lost }
		if err := s.released(t); err == nil || workers.Rejected(err) {
			t.Fatalf("verdict %v", err)
		}
		s.delivered(t, content)
		s.ledger.Answer = nil
		if err := s.released(t); err != nil {
			t.Fatal(err)
		}
		s.delivered(t, content)
	}
}

// TestAwake wakes the worker with releases that it has nothing to do for, or
// cannot serve now. Nothing is delivered and nothing said.
func TestAwake(t *testing.T) {
	for _, c := range []struct {
		name    string
		alter   func(t *testing.T, s *scene)
		verdict string
	}{
		{"for another department", func(_ *testing.T, s *scene) { s.release.Grantee = "labor" }, "done"},
		{"received before", func(_ *testing.T, s *scene) { s.use.State = exchange.Received }, "done"},
		{"disputed before", func(_ *testing.T, s *scene) { s.use.State = exchange.Disputed }, "done"},
		{"the peer is behind", func(_ *testing.T, s *scene) { s.use.State = exchange.Redeemed }, "failed"},
		{"a path for a grant", func(_ *testing.T, s *scene) { s.release.Grant = "../../etc" }, "dead"},
		{"a negative slot", func(_ *testing.T, s *scene) { s.release.Slot = -1 }, "dead"},
		{"a path for a file name", func(_ *testing.T, s *scene) { s.object.FileName = "../../../escaped.csv" }, "dead"},
		{"a hidden file name", func(_ *testing.T, s *scene) { s.object.FileName = ".profile" }, "dead"},
		{"the wrap is not exposed yet", func(_ *testing.T, s *scene) { s.node.Remove(s.release.WrapCID) }, "later"},
		{"nobody offers the object", func(_ *testing.T, s *scene) { s.node.Remove(s.object.CID) }, "later"},
		{"the node is away", func(_ *testing.T, s *scene) { s.node.Away = workertest.ErrAway }, "later"},
		{"the ledger is away", func(_ *testing.T, s *scene) { s.ledger.Away = ledger.ErrUnreachable }, "later"},
		{"the inbox is a file", func(t *testing.T, s *scene) {
			if err := os.WriteFile(s.inbox, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, "failed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t)
			c.alter(t, s)
			s.play(t)
			if err := s.released(t); workertest.Verdict(err) != c.verdict {
				t.Errorf("verdict %v, want %s", err, c.verdict)
			}
			for name, data := range s.files(t) {
				if data != "" {
					t.Errorf("the inbox holds %s", name)
				}
			}
			if told := s.ledger.Told(); len(told) > 0 {
				t.Errorf("the ledger got %v", told)
			}
		})
	}
}

// TestForgedEvent hands the worker a release that the ledger does not hold: what
// is on record is delivered, and nobody is accused.
func TestForgedEvent(t *testing.T) {
	s := newScene(t)
	s.play(t)
	s.release.WrapCID, s.release.WrapDigest = s.node.Put(t, []byte("not a wrap")), hexDigest([]byte("not a wrap"))
	if err := s.released(t); err != nil {
		t.Fatal(err)
	}
	s.one(t, exchange.OpReceiptFile)
	s.delivered(t, content)
	s = newScene(t)
	s.use.Grantee = "labor"
	s.play(t)
	if err := s.released(t); !workers.Rejected(err) {
		t.Errorf("another department's use: %v", err)
	}
	s.nothing(t)
}

// TestLedgerRefusesReceipt makes a dead letter of what cannot be said.
func TestLedgerRefusesReceipt(t *testing.T) {
	s := newScene(t)
	s.play(t)
	s.ledger.Answer = func(exchange.Operation) (exchange.Outcome, error) {
		return exchange.Outcome{Code: exchange.Conflict, Message: "it is disputed"}, nil
	}
	if err := s.released(t); !workers.Rejected(err) {
		t.Errorf("verdict %v", err)
	}
}

// TestAbandoned finds the plaintext that a crash left, and that of a copy of
// the worker that is writing.
func TestAbandoned(t *testing.T) {
	for name, state := range map[string]exchange.RedemptionState{"delivers": exchange.Released, "has delivered": exchange.Received} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.use.State = state
			s.play(t)
			live, err := inbox.New(s.inbox, place(grantID, 0), "population.csv")
			if err != nil {
				t.Fatal(err)
			}
			defer live.Discard()
			dir := filepath.Join(s.inbox, grantID, "0")
			dead := filepath.Join(dir, inbox.Arriving+"dead")
			link := filepath.Join(dir, inbox.Arriving+"link")
			if err := errors.Join(os.WriteFile(dead, []byte(content), 0o600), os.Symlink(dead, link)); err != nil {
				t.Fatal(err)
			}
			if err := s.released(t); workertest.Verdict(err) != "failed" { // the link is nobody's arrival
				t.Errorf("verdict %v", err)
			}
			if err := os.Remove(link); err != nil {
				t.Fatal(err)
			}
			if err := s.released(t); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(dead); !os.IsNotExist(err) {
				t.Errorf("abandoned plaintext is there still: %v", err)
			}
			if _, err := os.Stat(live.Name()); err != nil {
				t.Errorf("another copy's file is gone: %v", err)
			}
		})
	}
}

// TestCopiesAtOnce delivers one use several times at once.
func TestCopiesAtOnce(t *testing.T) {
	s := newScene(t)
	s.play(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := s.released(t); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	s.delivered(t, content)
}

// TestGranted redeems the first use once, and waits where waiting helps.
func TestGranted(t *testing.T) {
	answer := func(code exchange.Code) func(*testing.T, *scene) {
		return func(_ *testing.T, s *scene) {
			s.ledger.Answer = func(exchange.Operation) (exchange.Outcome, error) {
				return exchange.Outcome{Code: code, Message: "why"}, nil
			}
		}
	}
	for _, c := range []struct {
		name    string
		alter   func(t *testing.T, s *scene)
		redeems bool
		verdict string
	}{
		{"now", func(*testing.T, *scene) {}, true, "done"},
		{"to another", func(_ *testing.T, s *scene) { s.grant.Grantee = "labor" }, false, "done"},
		{"for a key that is not ours", func(_ *testing.T, s *scene) { s.grant.Recipient = hexDigest([]byte("theirs")) }, false, "dead"},
		{"for compute", func(_ *testing.T, s *scene) { s.grant.Actions = []exchange.Action{exchange.Compute} }, false, "done"},
		{"not begun", func(_ *testing.T, s *scene) { s.now = begin.Add(-time.Second) }, false, "later"},
		{"redeemed before", func(t *testing.T, s *scene) { s.ledger.Put(t, exchange.NounRedemption, grantID+"/0", s.use) }, false, "done"},
		{"redeemed by another copy", answer(exchange.Exists), true, "done"},
		{"not attested yet", answer(exchange.Conflict), true, "later"},
		{"no version yet", answer(exchange.NotFound), true, "later"},
		{"others in the way", answer(exchange.Again), true, "later"},
		{"dataset withdrawn", func(t *testing.T, s *scene) {
			answer(exchange.Conflict)(t, s)
			s.dataset.State = exchange.Withdrawn
		}, true, "done"},
		{"revoked", answer(exchange.Revoked), true, "done"},
		{"used up", answer(exchange.Exhausted), true, "done"},
		{"over", func(t *testing.T, s *scene) {
			answer(exchange.Expired)(t, s)
			s.now = s.grant.NotAfter
		}, true, "done"},
		{"over by another clock", answer(exchange.Expired), true, "later"},
		{"another key", answer(exchange.Denied), true, "dead"},
		{"the ledger is away", func(_ *testing.T, s *scene) { s.ledger.Away = fmt.Errorf("dial: %w", ledger.ErrUnreachable) }, false, "later"},
		{"a malformed id", func(_ *testing.T, s *scene) { s.grant.ID = "no id" }, false, "failed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t)
			c.alter(t, s)
			s.ledger.Put(t, exchange.NounDataset, datasetID, s.dataset)
			if err := s.granted(t); workertest.Verdict(err) != c.verdict {
				t.Errorf("verdict %v, want %s", err, c.verdict)
			}
			if !c.redeems {
				if told := s.ledger.Told(); len(told) > 0 {
					t.Errorf("the ledger got %v", told)
				}
				return
			}
			body := workertest.Body[exchange.RedeemGrant](t, s.one(t, exchange.OpGrantRedeem))
			if body != (exchange.RedeemGrant{Grant: grantID}) {
				t.Errorf("redeemed %+v", body)
			}
		})
	}
}
