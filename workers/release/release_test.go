package release

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/test/workertest"
	"chancery/workers"
)

// TestExposedOnlyAfterCommit looks at the node while the ledger decides.
func TestExposedOnlyAfterCommit(t *testing.T) {
	s := newScene(t)
	s.ledger.Answer = func(op exchange.Operation) (exchange.Outcome, error) {
		if added := s.node.Added(); len(added) > 0 {
			t.Errorf("the node has %v before the ledger has the digest", added)
		}
		return s.commit(t, op), nil
	}
	s.play(t)
	if err := s.hand(t); err != nil {
		t.Fatal(err)
	}
	body := workertest.Body[exchange.ReleaseKey](t, s.ledger.Told()[0])
	if added := s.node.Added(); !slices.Equal(added, []string{body.WrapCID}) {
		t.Fatalf("the node got %v, the ledger says %s", added, body.WrapCID)
	}
	exposed, err := s.node.Cat(t.Context(), body.WrapCID)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(exposed)
	if err != nil || digestOf(data) != body.WrapDigest {
		t.Errorf("exposed %s, %v; the ledger says %s", digestOf(data), err, body.WrapDigest)
	}
}

// TestCrash stops the worker at each step. The repeat says the same wrap and
// exposes it.
func TestCrash(t *testing.T) {
	crash := errors.New("killed")
	for name, stop := range map[string]func(t *testing.T, s *scene){
		"before the journal":           func(_ *testing.T, s *scene) { s.ledger.Away = ledger.ErrUnreachable },
		"between journal and ledger":   func(_ *testing.T, s *scene) { s.node.Away = workertest.ErrAway },
		"before the commit":            func(_ *testing.T, s *scene) { s.answerOnce(exchange.Outcome{}, ledger.ErrUnreachable) },
		"after the commit, not known":  func(t *testing.T, s *scene) { s.commitOnce(t, ledger.ErrUnknownOutcome) },
		"between ledger and exposure":  func(t *testing.T, s *scene) { s.commitOnce(t, crash) },
		"others kept writing":          func(_ *testing.T, s *scene) { s.answerOnce(exchange.Outcome{Code: exchange.Again}, nil) },
		"another copy was there first": func(t *testing.T, s *scene) { s.conflictOnce(t) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			stop(t, s)
			s.play(t)
			if err := s.hand(t); err == nil || workers.Rejected(err) {
				t.Fatalf("verdict: %v", err)
			}
			if added := s.node.Added(); len(added) > 0 {
				t.Errorf("exposed %v already", added)
			}
			s.ledger.Away, s.node.Away = nil, nil
			for range 2 {
				if err := s.hand(t); err != nil {
					t.Fatalf("again: %v", err)
				}
			}
			s.sameWrap(t)
		})
	}
}

// answerOnce lets the ledger answer so the first time.
func (s *scene) answerOnce(o exchange.Outcome, err error) {
	s.firstly(func(exchange.Operation) (exchange.Outcome, error) { return o, err })
}

// commitOnce lets the first release commit without its outcome being known.
func (s *scene) commitOnce(t *testing.T, err error) {
	s.firstly(func(op exchange.Operation) (exchange.Outcome, error) {
		s.commit(t, op)
		return exchange.Outcome{}, err
	})
}

// conflictOnce is another copy of the worker that commits the same.
func (s *scene) conflictOnce(t *testing.T) {
	s.firstly(func(op exchange.Operation) (exchange.Outcome, error) {
		s.commit(t, op)
		return exchange.Outcome{Code: exchange.Conflict, Message: "it is released"}, nil
	})
}

// firstly sets what the ledger answers the first time; later it has the release
// already.
func (s *scene) firstly(answer func(exchange.Operation) (exchange.Outcome, error)) {
	var later atomic.Bool
	s.ledger.Answer = func(op exchange.Operation) (exchange.Outcome, error) {
		if later.Swap(true) {
			return exchange.Outcome{Code: exchange.Exists, Tx: "tx-release"}, nil
		}
		return answer(op)
	}
}

// sameWrap fails unless every release said, and every exposure was of, the wrap
// in the journal.
func (s *scene) sameWrap(t *testing.T) {
	t.Helper()
	wrap, err := s.vault.Journal.Wrap(grantID, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	address, _, err := s.node.CIDOf(t.Context(), bytes.NewReader(wrap))
	if err != nil {
		t.Fatal(err)
	}
	for _, op := range s.ledger.Told() {
		if body := workertest.Body[exchange.ReleaseKey](t, op); body.WrapCID != address || body.WrapDigest != digestOf(wrap) {
			t.Errorf("said %+v, the journal has %s", body, digestOf(wrap))
		}
	}
	added := s.node.Added()
	if len(added) == 0 || slices.ContainsFunc(added, func(a string) bool { return a != address }) {
		t.Errorf("exposed %v, the journal has %s", added, address)
	}
}

// TestLedgerSaysNo lets the contract refuse what the worker would serve.
func TestLedgerSaysNo(t *testing.T) {
	for _, c := range []struct {
		code    exchange.Code
		refuses bool
		verdict string
	}{
		{exchange.Revoked, true, "done"},
		{exchange.Expired, true, "done"},
		{exchange.Conflict, false, "failed"},
		{exchange.Denied, false, "failed"},
	} {
		t.Run(string(c.code), func(t *testing.T) {
			s := newScene(t)
			s.ledger.Answer = func(op exchange.Operation) (exchange.Outcome, error) {
				if op.Op == exchange.OpKeyRelease {
					return exchange.Outcome{Code: c.code, Message: "because"}, nil
				}
				return exchange.Outcome{Code: exchange.OK}, nil
			}
			s.play(t)
			if got := workertest.Verdict(s.hand(t)); got != c.verdict {
				t.Errorf("verdict %s, want %s", got, c.verdict)
			}
			if added := s.node.Added(); len(added) > 0 {
				t.Errorf("exposed %v", added)
			}
			refused := slices.ContainsFunc(s.ledger.Told(), func(op exchange.Operation) bool { return op.Op == exchange.OpKeyRefuse })
			if refused != c.refuses {
				t.Errorf("refused: %t, want %t", refused, c.refuses)
			}
		})
	}
}

// TestAwake wakes the worker with uses that are not to be served now.
func TestAwake(t *testing.T) {
	other := exchange.NewID(exchange.NounGrant, "CensusMSP", "give-2")
	for _, c := range []struct {
		name    string
		alter   func(s *scene)
		verdict string
	}{
		{"of another provider", func(s *scene) { s.claimed.Owner = "labor" }, "done"},
		{"refused and claimed anew since", func(s *scene) { s.use.Attempt = 2 }, "done"},
		{"the peer is behind", func(s *scene) { s.claimed.Attempt = 2 }, "failed"},
		{"received", func(s *scene) { s.use.State = exchange.Received }, "done"},
		{"disputed", func(s *scene) { s.use.State = exchange.Disputed }, "done"},
		{"refused", func(s *scene) { s.use.State = exchange.ReleaseDenied }, "done"},
		{"the record is of another grant", func(s *scene) { s.use.Grant = other }, "dead"},
		{"released, but not from here", func(s *scene) { s.use.State = exchange.Released }, "failed"},
		{"the ledger is away", func(s *scene) { s.ledger.Away = fmt.Errorf("dial: %w", ledger.ErrUnreachable) }, "later"},
		{"the ledger is at fault", func(s *scene) { s.ledger.Away = ledger.ErrFault }, "failed"},
		{"the grant's transaction is not there", func(s *scene) { s.given.ID = "tx-other" }, "failed"},
		{"the redemption's transaction is not there", func(s *scene) { s.redeemed.ID = "tx-other" }, "failed"},
		{"the grantee is not there", func(s *scene) { s.department.Name = "labor" }, "failed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t)
			c.alter(s)
			s.play(t)
			if err := s.hand(t); workertest.Verdict(err) != c.verdict {
				t.Errorf("verdict %v, want %s", err, c.verdict)
			}
			s.noKeyMoved(t)
			if told := s.ledger.Told(); len(told) > 0 {
				t.Errorf("the ledger got %v", told)
			}
		})
	}
}

// TestForgedRelease lets others write a release for a use whose wrap was made
// and then not released: it stays in the journal.
func TestForgedRelease(t *testing.T) {
	for name, forge := range map[string]func(r *exchange.Release) (signer string){
		"signed by others": func(*exchange.Release) string { return "HealthMSP" },
		"of another wrap":  func(r *exchange.Release) string { r.WrapDigest = strings.Repeat("0", 64); return "CensusMSP" },
		"of another slot":  func(r *exchange.Release) string { r.Slot = 0; return "CensusMSP" },
		"of another grant's event": func(r *exchange.Release) string {
			r.Grant = exchange.NewID(exchange.NounGrant, "x", "y")
			return "CensusMSP"
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.ledger.Answer = func(op exchange.Operation) (exchange.Outcome, error) {
				if op.Op == exchange.OpKeyRelease {
					return exchange.Outcome{Code: exchange.Revoked, Message: "revoked"}, nil
				}
				return exchange.Outcome{Code: exchange.OK}, nil
			}
			s.play(t)
			if err := s.hand(t); err != nil {
				t.Fatal(err)
			}
			body := workertest.Body[exchange.ReleaseKey](t, s.ledger.Told()[0])
			record := exchange.Release{
				Grant: grantID, Slot: 1, Owner: "census", Grantee: "health", Object: s.use.Object,
				WrapCID: body.WrapCID, WrapDigest: body.WrapDigest, Change: exchange.Change{Tx: "tx-release"},
			}
			signer := forge(&record)
			s.release(t, record, signer)
			if err := s.hand(t); !workers.Rejected(err) {
				t.Errorf("verdict %v", err)
			}
			if added := s.node.Added(); len(added) > 0 {
				t.Errorf("exposed %v", added)
			}
		})
	}
}

// TestSecondAttempt claims a refused slot anew: a wrap of its own.
func TestSecondAttempt(t *testing.T) {
	s := newScene(t)
	s.answerOnce(exchange.Outcome{Code: exchange.Expired, Message: "over the window"}, nil)
	s.play(t)
	if err := s.hand(t); err != nil {
		t.Fatal(err)
	}
	refused := s.use
	refused.State = exchange.ReleaseDenied
	s.ledger.Put(t, exchange.NounRedemption, grantID+"/1", refused)
	s.bothUses(func(u *exchange.Redemption) { u.Attempt = 2 })
	s.redeemed.Events = nil
	s.play(t)
	if err := s.hand(t); err != nil {
		t.Fatal(err)
	}
	first, err1 := s.vault.Journal.Wrap(grantID, 1, 1)
	second, err2 := s.vault.Journal.Wrap(grantID, 1, 2)
	if err := errors.Join(err1, err2); err != nil || bytes.Equal(first, second) {
		t.Errorf("one wrap for two attempts: %v", err)
	}
}

// TestCopiesAtOnce runs several copies of the worker on one journal.
func TestCopiesAtOnce(t *testing.T) {
	s := newScene(t)
	s.play(t)
	s.ledger.Answer = func(op exchange.Operation) (exchange.Outcome, error) {
		return exchange.Outcome{Op: op.Op, Code: exchange.OK}, nil
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := s.hand(t); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	s.sameWrap(t)
}

// TestMalformed hands over an event whose data are no redemption.
func TestMalformed(t *testing.T) {
	s := newScene(t)
	s.play(t)
	e := workertest.OnLedger(t, exchange.Event{Type: exchange.GrantRedeemed, From: "health", To: "census", ID: grantID, Data: []byte(`{"slot":"one"}`)})
	if err := workertest.Hand(t, s.worker(), e); !workers.Rejected(err) {
		t.Errorf("verdict %v", err)
	}
}
