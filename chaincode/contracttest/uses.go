package contracttest

import (
	"testing"
	"time"

	"chancery/chaincode/exchange"
)

func redeem(c *stage, slot int) *exchange.RedeemGrant {
	return &exchange.RedeemGrant{Grant: c.grant, Slot: slot}
}

// testRedemptions claims uses of grants that have none to give.
func (s *suite) testRedemptions(t *testing.T) {
	now := s.net.Now().UTC().Truncate(time.Second)
	from := func(at time.Time) func(*exchange.OpenRequest) {
		return func(q *exchange.OpenRequest) { q.NotBefore, q.NotAfter = at, at.Add(time.Hour) }
	}
	for _, tc := range []struct {
		name string
		code exchange.Code
		slot int
		make func(c *stage)
	}{
		{"last slot", exchange.OK, 1, func(c *stage) { c.granted() }},
		{"no such slot", exchange.Exhausted, 2, func(c *stage) { c.granted() }},
		{"one use, second time", exchange.Exhausted, 1, func(c *stage) {
			c.granted(func(g *exchange.GiveGrant) { g.MaxUses = 1 }).redeemed(0)
		}},
		{"revoked", exchange.Revoked, 0, func(c *stage) { c.granted().revoked() }},
		{"revoked after another use", exchange.Revoked, 1, func(c *stage) { c.redeemed(0).revoked() }},
		{"not begun", exchange.Expired, 0, func(c *stage) { c.opened(from(now.Add(24 * time.Hour))).granted() }},
		{"withdrawn dataset", exchange.Conflict, 0, func(c *stage) { c.granted().withdrawn() }},
		{"no version", exchange.NotFound, 0, func(c *stage) {
			c.registered().object = noID(exchange.NounObject)
			c.granted()
		}},
		{"compute only", exchange.Denied, 0, func(c *stage) {
			c.terms.Actions = []exchange.Action{exchange.Compute}
			c.opened(func(q *exchange.OpenRequest) { q.Actions, q.Spec = c.terms.Actions, digest("job") }).granted()
		}},
		{"never attested", exchange.Conflict, 0, func(c *stage) {
			c.terms.Attestations = 1
			c.granted()
		}},
		{"attested as bad", exchange.Conflict, 0, func(c *stage) {
			c.terms.Attestations = 1
			c.granted().attested(third, exchange.Bad)
		}},
		{"attested by too few", exchange.Conflict, 0, func(c *stage) {
			c.terms.Attestations = 2
			c.granted().attested(third, exchange.Good)
		}},
		{"good made bad", exchange.Conflict, 0, func(c *stage) {
			c.terms.Attestations = 1
			c.granted().attested(third, exchange.Good).attested(third, exchange.Bad)
		}},
		{"attested by enough", exchange.OK, 0, func(c *stage) {
			c.terms.Attestations = 2
			c.granted().attested(third, exchange.Good).attested(requester, exchange.Good)
		}},
		{"not certified", exchange.Conflict, 0, func(c *stage) {
			c.terms.Certified = true
			c.granted()
		}},
		{"another version certified", exchange.Conflict, 0, func(c *stage) {
			c.terms.Certified = true
			c.published().certified().published().granted()
		}},
		{"certified", exchange.OK, 0, func(c *stage) {
			c.terms.Certified = true
			c.granted().certified()
		}},
		{"certified, never attested", exchange.Conflict, 0, func(c *stage) {
			c.terms.Certified, c.terms.Attestations = true, 1
			c.granted().certified()
		}},
		{"not demanded when it was given", exchange.OK, 0, func(c *stage) {
			c.granted()
			c.terms.Certified = true
			c.must(c.t, decider, exchange.OpDatasetSetTerms, "", &exchange.SetTerms{Dataset: c.dataset, Terms: c.terms})
		}},
	} {
		t.Run(tc.name, s.parallel(func(t *testing.T) {
			c := s.stage(t)
			tc.make(c)
			s.want(t, tc.code, asker, exchange.OpGrantRedeem, "", redeem(c, tc.slot))
		}))
	}
	t.Run("ended", s.parallel(s.testEnded))
	t.Run("versions", s.parallel(s.testVersions))
}

// testEnded lets a grant end. What was redeemed in time is served still.
func (s *suite) testEnded(t *testing.T) {
	end := s.net.Now().UTC().Add(5 * time.Second)
	c := s.stage(t).opened(func(q *exchange.OpenRequest) { q.NotAfter = end }).redeemed(0)
	s.net.Until(end)
	s.want(t, exchange.Expired, asker, exchange.OpGrantRedeem, "", redeem(c, 1))
	s.want(t, exchange.Exists, asker, exchange.OpGrantRedeem, "", redeem(c, 0))
	s.want(t, exchange.OK, owner, exchange.OpKeyRelease, "", c.wrap(0))
}

// testVersions redeems the newest version, and the one that was named.
func (s *suite) testVersions(t *testing.T) {
	latest := s.stage(t).redeemed(0)
	old := latest.object
	named := s.stage(t).published()
	first := named.object
	named.opened(func(q *exchange.OpenRequest) { q.Object = first }).granted()

	latest.published().redeemed(1)
	named.published().redeemed(0)
	for id, want := range map[string]string{latest.grant + "/0": old, latest.grant + "/1": latest.object, named.grant + "/0": first} {
		if r := get[exchange.Redemption](t, s, exchange.NounRedemption, id); r.Object != want {
			t.Errorf("%s is of %s, want %s", id, r.Object, want)
		}
	}
	if g := get[exchange.Grant](t, s, exchange.NounGrant, named.grant); g.Object != first || g.Version != get[exchange.Object](t, s, exchange.NounObject, first).SealedDigest {
		t.Errorf("the grant is of %s, %s", g.Object, g.Version)
	}
	if o := get[exchange.Object](t, s, exchange.NounObject, latest.object); o.Version != 2 {
		t.Errorf("the second version is %d", o.Version)
	}
}

// testReleases revokes, refuses and claims anew.
func (s *suite) testReleases(t *testing.T) {
	t.Run("revoked", s.parallel(func(t *testing.T) {
		c := s.stage(t).redeemed(0).revoked()
		s.want(t, exchange.Revoked, owner, exchange.OpKeyRelease, "", c.wrap(0))
		s.want(t, exchange.OK, owner, exchange.OpKeyRefuse, "", c.refusal("revoked"))
		s.want(t, exchange.Revoked, asker, exchange.OpGrantRedeem, "", redeem(c, 0))
	}))
	t.Run("withdrawn", s.parallel(func(t *testing.T) {
		c := s.stage(t).redeemed(0).withdrawn()
		s.want(t, exchange.OK, owner, exchange.OpKeyRelease, "", c.wrap(0))
	}))
	t.Run("refused", s.parallel(func(t *testing.T) {
		c := s.stage(t).redeemed(0)
		late := c.refusal("late")
		c.keyRefused()
		s.want(t, exchange.NotFound, owner, exchange.OpKeyRelease, "", &exchange.ReleaseKey{
			Grant: c.grant, Slot: 1, WrapCID: someCID, WrapDigest: digest("wrap")})
		s.want(t, exchange.Conflict, owner, exchange.OpKeyRelease, "", c.wrap(0))
		c.redeemed(0)
		if r := get[exchange.Redemption](t, s, exchange.NounRedemption, c.grant+"/0"); r.Attempt != 2 || r.State != exchange.Redeemed {
			t.Errorf("claimed anew: %+v", r)
		}
		s.want(t, exchange.Conflict, owner, exchange.OpKeyRefuse, "", late)
		c.released(0).received()
	}))
	t.Run("receipt of something else", s.parallel(func(t *testing.T) {
		c := s.stage(t).redeemed(0).released(0)
		for name, change := range map[string]func(*exchange.FileReceipt){
			"sealed":  func(r *exchange.FileReceipt) { r.SealedDigest = digest("x") },
			"content": func(r *exchange.FileReceipt) { r.ContentDigest = digest("x") },
			"rows":    func(r *exchange.FileReceipt) { r.Rows++ },
		} {
			r := c.receipt()
			change(r)
			if _, err := s.do(t, asker, exchange.OpReceiptFile, "", r); codeOf(exchange.Outcome{}, err) != exchange.Invalid {
				t.Errorf("%s: %v, want %s", name, err, exchange.Invalid)
			}
		}
		c.disputed()
		s.want(t, exchange.Conflict, asker, exchange.OpReceiptFile, "", c.receipt())
	}))
}
