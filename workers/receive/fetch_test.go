package receive

import (
	"bytes"
	"errors"
	"testing"

	"chancery/chaincode/exchange"
)

func (s *scene) fetch(t *testing.T, department string) (string, Fetched, error) {
	t.Helper()
	var to bytes.Buffer
	f, err := Fetch(t.Context(), Config{Department: department, Keys: s.own.Keys, Node: s.node, Ledger: s.ledger}, grantID, 0, &to)
	return to.String(), f, err
}

// TestFetch fetches what was delivered before, from every state in which the key
// is out, and puts nothing on record.
func TestFetch(t *testing.T) {
	for _, state := range []exchange.RedemptionState{exchange.Released, exchange.Received, exchange.Disputed} {
		s := newScene(t)
		s.use.State = state
		s.play(t)
		text, f, err := s.fetch(t, "health")
		if err != nil || text != content || f.Rows != 2 || f.Object.ID != s.object.ID || f.Use.State != state {
			t.Errorf("%s: %q, %+v, %v", state, text, f, err)
		}
		if told := s.ledger.Told(); len(told) != 0 || len(s.files(t)) != 0 {
			t.Errorf("%s: told %v, delivered %v", state, told, s.files(t))
		}
	}
}

func TestFetchWithoutAKey(t *testing.T) {
	for _, state := range []exchange.RedemptionState{exchange.Redeemed, exchange.ReleaseDenied} {
		s := newScene(t)
		s.use.State = state
		s.play(t)
		if _, _, err := s.fetch(t, "health"); !errors.Is(err, exchange.ErrConflict) {
			t.Errorf("%s: %v", state, err)
		}
	}
	s := newScene(t)
	if _, _, err := s.fetch(t, "health"); !errors.Is(err, exchange.ErrNotFound) {
		t.Errorf("nothing redeemed: %v", err)
	}
	s.playUse(t)
	if _, _, err := s.fetch(t, "health"); !errors.Is(err, exchange.ErrNotFound) {
		t.Errorf("no release on record: %v", err)
	}
	s.play(t)
	if _, _, err := s.fetch(t, "labor"); !errors.Is(err, exchange.ErrDenied) {
		t.Errorf("another department: %v", err)
	}
}

// TestFetchContested meets everything that may not be as it was registered.
func TestFetchContested(t *testing.T) {
	for name, change := range map[string]func(s *scene){
		"wrap":    func(s *scene) { s.release.WrapDigest = hexDigest([]byte("x")) },
		"sealed":  func(s *scene) { s.object.SealedDigest = hexDigest([]byte("x")) },
		"content": func(s *scene) { s.object.ContentDigest = hexDigest([]byte("x")) },
		"columns": func(s *scene) { s.dataset.Columns[0].Name = "state" },
		"rows":    func(s *scene) { s.object.Rows++ },
	} {
		s := newScene(t)
		change(s)
		s.play(t)
		if _, _, err := s.fetch(t, "health"); !errors.Is(err, ErrContested) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
