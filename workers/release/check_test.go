package release

import (
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/test/workertest"
)

var other = exchange.NewID(exchange.NounObject, "CensusMSP", "publish-2")

// refused are uses that would be served, with one thing altered.
var refused = []struct {
	name   string
	alter  func(t *testing.T, s *scene)
	reason string
}{
	{"revoked", func(_ *testing.T, s *scene) {
		s.grant.State, s.grant.Change.Reason = exchange.GrantRevoked, "misused"
	}, "is revoked: misused"},
	{"revoked, and taken back by others", func(t *testing.T, s *scene) {
		revoked := s.grant
		revoked.State = exchange.GrantRevoked
		s.ledger.Put(t, exchange.NounGrant, grantID, revoked)
	}, "was revoked in transaction"},
	{"revoked, taken back and buried by others", func(t *testing.T, s *scene) {
		for range exchange.MaxHistory {
			s.ledger.Put(t, exchange.NounGrant, grantID, s.grant)
		}
	}, "its beginning cannot be read"},
	{"released before, and set back by others", func(t *testing.T, s *scene) {
		released := s.use
		released.State = exchange.Released
		s.ledger.Put(t, exchange.NounRedemption, grantID+"/1", released)
		s.bothUses(func(u *exchange.Redemption) { u.Attempt = 2 })
	}, "was released already in transaction"},
	{"received before, and set back by others", func(t *testing.T, s *scene) {
		received := s.use
		received.State = exchange.Received
		s.ledger.Put(t, exchange.NounRedemption, grantID+"/1", received)
	}, "was received already in transaction"},
	{"between others", func(_ *testing.T, s *scene) {
		s.bothGrants(func(g *exchange.Grant) { g.Owner = "labor" })
	}, "is between labor and health"},
	{"of another MSP of that name", func(_ *testing.T, s *scene) {
		s.bothGrants(func(g *exchange.Grant) { g.OwnerMSP = "LaborMSP" })
	}, "is between"},
	{"redeemed by another than the grantee", func(_ *testing.T, s *scene) {
		s.bothUses(func(u *exchange.Redemption) { u.Grantee = "labor" })
	}, "is between"},
	{"not for reading", func(_ *testing.T, s *scene) {
		s.bothGrants(func(g *exchange.Grant) { g.Actions = []exchange.Action{exchange.Compute} })
	}, "allows [compute], not read"},
	{"slot beyond the last", func(_ *testing.T, s *scene) {
		s.bothGrants(func(g *exchange.Grant) { g.MaxUses = 1 })
	}, "has 1 uses, this is slot 1"},
	{"redeemed before it began", func(_ *testing.T, s *scene) {
		s.bothUses(func(u *exchange.Redemption) { u.Since = begin.Add(-time.Nanosecond) })
	}, "outside the grant's time"},
	{"redeemed at its end", func(_ *testing.T, s *scene) {
		s.bothUses(func(u *exchange.Redemption) { u.Since = begin.Add(48 * time.Hour) })
	}, "outside the grant's time"},
	{"served too late", func(_ *testing.T, s *scene) { s.now = begin.Add(25*time.Hour + time.Second) }, "it could be served until"},
	{"another dataset", func(_ *testing.T, s *scene) {
		s.bothUses(func(u *exchange.Redemption) { u.Dataset = exchange.DatasetID("CensusMSP", "salaries") })
	}, "another dataset or version"},
	{"another version", func(_ *testing.T, s *scene) {
		s.bothGrants(func(g *exchange.Grant) { g.Object = other })
	}, "another dataset or version"},

	{"given by another chaincode", func(_ *testing.T, s *scene) { s.given.Chaincode = "forger" }, "not given by the contract"},
	{"signed by another department", func(_ *testing.T, s *scene) { s.given.Creator.MSP = "HealthMSP" }, "not signed by census but by a member of HealthMSP"},
	{"given in an invalid transaction", func(_ *testing.T, s *scene) { s.given.Code = "MVCC_READ_CONFLICT" }, "not signed by census"},
	{"not endorsed by the own peer", func(_ *testing.T, s *scene) { s.given.Endorsers = s.given.Endorsers[:1] }, "not endorsed by the peer of census"},
	{"endorsed by another peer of the own MSP", func(_ *testing.T, s *scene) {
		s.given.Endorsers = []ledger.Identity{{MSP: "CensusMSP", Cert: &x509.Certificate{RawTBSCertificate: []byte("second")}}}
	}, "not endorsed by the peer of census"},
	{"another grant in that transaction", func(_ *testing.T, s *scene) {
		s.said.ID = exchange.NewID(exchange.NounGrant, "CensusMSP", "give-2")
	}, "did not give grant"},
	{"another event in that transaction", func(t *testing.T, s *scene) {
		s.given.Events = []exchange.Event{workertest.Event(t, exchange.GrantWasRevoked, "census", "health", grantID, s.grant)}
	}, "did not give grant"},
	{"more uses than were given", func(_ *testing.T, s *scene) { s.grant.MaxUses = 1000 }, "was altered"},
	{"longer than was given", func(_ *testing.T, s *scene) { s.grant.NotAfter = s.grant.NotAfter.Add(time.Hour) }, "was altered"},
	{"to another than was given", func(_ *testing.T, s *scene) {
		s.grant.GranteeMSP, s.redeemed.Creator.MSP = "LaborMSP", "LaborMSP"
	}, "was altered"},
	{"for another key than was given", func(t *testing.T, s *scene) {
		thief := foreign(t).Recipient()
		s.grant.Recipient, s.department.Recipient = thief.Fingerprint(), thief.String()
	}, "was altered"},
	{"for another purpose than was given", func(_ *testing.T, s *scene) { s.grant.Purpose = "resale" }, "was altered"},

	{"redeemed by another chaincode", func(_ *testing.T, s *scene) { s.redeemed.Chaincode = "forger" }, "was not redeemed by health"},
	{"redemption signed by another", func(_ *testing.T, s *scene) { s.redeemed.Creator.MSP = "LaborMSP" }, "was not redeemed by health"},
	{"redemption signed by the provider", func(_ *testing.T, s *scene) { s.redeemed.Creator.MSP = "CensusMSP" }, "was not redeemed by health"},
	{"redeemed in an invalid transaction", func(_ *testing.T, s *scene) { s.redeemed.Code = "ENDORSEMENT_POLICY_FAILURE" }, "was not redeemed by health"},
	{"another slot in that transaction", func(t *testing.T, s *scene) {
		said := s.claimed
		said.Slot = 0
		s.redeemed.Events = []exchange.Event{workertest.Event(t, exchange.GrantRedeemed, "health", "census", grantID, said)}
	}, "did not redeem use"},
	{"another version in that transaction", func(t *testing.T, s *scene) {
		said := s.claimed
		said.Object = other
		s.redeemed.Events = []exchange.Event{workertest.Event(t, exchange.GrantRedeemed, "health", "census", grantID, said)}
	}, "was altered"},
	{"claimed at another time", func(_ *testing.T, s *scene) { s.use.Since = s.use.Since.Add(time.Minute) }, "was altered"},

	{"recipient changed since", func(t *testing.T, s *scene) {
		s.department.Recipient = foreign(t).Recipient().String()
	}, "names another recipient key"},
	{"recipient is no key", func(_ *testing.T, s *scene) { s.department.Recipient = "age1pq1nothing" }, "cannot be used"},
	{"never sealed here", func(_ *testing.T, s *scene) {
		s.bothUses(func(u *exchange.Redemption) { u.Object = other })
	}, "was never sealed here"},
	{"sealed here with another digest", func(_ *testing.T, s *scene) {
		s.bothUses(func(u *exchange.Redemption) { u.SealedDigest = strings.Repeat("0", 64) })
	}, "with another digest"},
}

// TestRefusals alters one thing at a time of a use that would be served. Each
// is refused on the ledger, and no key moves.
func TestRefusals(t *testing.T) {
	for _, c := range refused {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t)
			c.alter(t, s)
			s.play(t)
			if err := s.hand(t); err != nil {
				t.Fatalf("verdict: %v", err)
			}
			s.noKeyMoved(t)
			told := s.ledger.Told()
			if len(told) != 1 || told[0].Op != exchange.OpKeyRefuse {
				t.Fatalf("the ledger got %v", told)
			}
			refusal := workertest.Body[exchange.RefuseKey](t, told[0])
			if refusal.Grant != grantID || refusal.Slot != 1 || refusal.Attempt != s.use.Attempt || !strings.Contains(refusal.Reason, c.reason) {
				t.Errorf("refused as %+v, want %q", refusal, c.reason)
			}
		})
	}
}

// TestServed alters what does not matter.
func TestServed(t *testing.T) {
	for name, alter := range map[string]func(s *scene){
		"refused once, and claimed anew": func(s *scene) {
			refused := s.use
			refused.State = exchange.ReleaseDenied
			s.ledger.Put(t, exchange.NounRedemption, grantID+"/1", refused)
			s.bothUses(func(u *exchange.Redemption) { u.Attempt = 2 })
		},
		"as given":                 func(*scene) {},
		"redeemed as it began":     func(s *scene) { s.bothUses(func(u *exchange.Redemption) { u.Since = begin }) },
		"at the end of its window": func(s *scene) { s.now = begin.Add(25 * time.Hour) },
		"after the grant's end":    func(s *scene) { s.bothGrants(func(g *exchange.Grant) { g.NotAfter = s.use.Since.Add(1) }) },
		"an exact version":         func(s *scene) { s.bothGrants(func(g *exchange.Grant) { g.Object = s.use.Object }) },
		"more actions": func(s *scene) {
			s.bothGrants(func(g *exchange.Grant) { g.Actions = append(g.Actions, exchange.Compute) })
		},
		"redeemed in another company": func(s *scene) { s.redeemed.Endorsers = nil },
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			alter(s)
			s.play(t)
			if err := s.hand(t); err != nil {
				t.Fatal(err)
			}
			if told := s.ledger.Told(); len(told) != 1 || told[0].Op != exchange.OpKeyRelease {
				t.Fatalf("the ledger got %v", told)
			}
			wrap := s.open(t)
			object, err := s.vault.Journal.Object(s.use.Object, dataset)
			if err != nil {
				t.Fatal(err)
			}
			if wrap.Grant != grantID || wrap.Slot != 1 || wrap.Object != s.use.Object || !wrap.FileKey.Equal(object.Key) || !wrap.Salt.Equal(object.Salt) {
				t.Errorf("the wrap is for %s slot %d of %s", wrap.Grant, wrap.Slot, wrap.Object)
			}
		})
	}
}
