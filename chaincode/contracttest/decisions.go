package contracttest

import (
	"slices"
	"sync"
	"testing"

	"chancery/chaincode/exchange"
)

// testDecisions lets officers decide beside one another.
func (s *suite) testDecisions(t *testing.T) {
	t.Run("two officers at once", s.parallel(s.testTwoOfficers))
	t.Run("several grants to one requester", s.parallel(s.testSeveralGrants))
}

// testTwoOfficers has one officer give and another refuse the same request at
// the same time. One decision stands, whichever it is; the other is a conflict.
func (s *suite) testTwoOfficers(t *testing.T) {
	second := actor{provider, s.fresh()}
	s.enrol(t, provider, exchange.Officer, second.identity)
	c := s.stage(t).opened()
	var codes [2]exchange.Code
	var both sync.WaitGroup
	both.Go(func() {
		out, err := s.do(t, decider, exchange.OpGrantGive, s.fresh(), &exchange.GiveGrant{Request: c.request})
		codes[0] = codeOf(out, err)
	})
	both.Go(func() {
		out, err := s.do(t, second, exchange.OpRequestRefuse, s.fresh(), &exchange.EndRequest{Request: c.request, Reason: "no"})
		codes[1] = codeOf(out, err)
	})
	both.Wait()
	r := get[exchange.Request](t, s, exchange.NounRequest, c.request)
	want := [2]exchange.Code{exchange.OK, exchange.Conflict}
	if r.State == exchange.RequestRefused {
		slices.Reverse(want[:])
	}
	if codes != want || (r.Grant != "") != (r.State == exchange.RequestGranted) {
		t.Errorf("given: %s, refused: %s, and the request is %s with grant %q", codes[0], codes[1], r.State, r.Grant)
	}
}

// testSeveralGrants uses two grants of one dataset, each by its own terms: one
// stands for a version, one for whatever is newest.
func (s *suite) testSeveralGrants(t *testing.T) {
	c := s.stage(t).published()
	first := c.object
	c.opened(func(q *exchange.OpenRequest) { q.Object, q.Uses = first, 1 }).granted()
	exact := c.grant
	c.opened(func(q *exchange.OpenRequest) { q.Purpose = "research" })
	c.granted()
	latest := c.grant

	c.derived()
	for slot, grant := range []string{exact, latest} {
		s.want(t, exchange.OK, asker, exchange.OpGrantRedeem, "", &exchange.RedeemGrant{Grant: grant, Slot: 0})
		r := get[exchange.Redemption](t, s, exchange.NounRedemption, grant+"/0")
		if want := []string{first, c.object}[slot]; r.Object != want {
			t.Errorf("grant %s is redeemed for %s, want %s", grant, r.Object, want)
		}
	}
	s.want(t, exchange.Exhausted, asker, exchange.OpGrantRedeem, "", &exchange.RedeemGrant{Grant: exact, Slot: 1})
	s.want(t, exchange.OK, decider, exchange.OpGrantRevoke, "", &exchange.RevokeGrant{Grant: exact, Reason: "over"})
	s.want(t, exchange.OK, asker, exchange.OpGrantRedeem, "", &exchange.RedeemGrant{Grant: latest, Slot: 1})
	o := get[exchange.Object](t, s, exchange.NounObject, c.object)
	if o.Version != 2 || !slices.Equal(o.DerivedFrom, []string{first}) {
		t.Errorf("the new version is %+v", o)
	}
	if ids, _ := s.list(t, exchange.Query{Noun: exchange.NounGrant, Parent: c.dataset, Department: requester, PageSize: 10}); len(ids) != 2 {
		t.Errorf("%s has the grants %v", requester, ids)
	}
}

// derived has one more version, made from the newest.
func (c *stage) derived() *stage {
	c.t.Helper()
	c.version = c.fresh()
	b := c.versionOf(c.version)
	b.DerivedFrom = []string{c.object}
	c.object = c.must(c.t, owner, exchange.OpObjectRegister, "", b).ID
	return c
}

// testCertifications certifies what cannot be, and looks at what is on record.
func (s *suite) testCertifications(t *testing.T) {
	c := s.stage(t).published().certified()
	for name, noun := range map[string]exchange.Noun{"of the version": exchange.NounObject, "of the dataset": exchange.NounDataset} {
		parent := map[exchange.Noun]string{exchange.NounObject: c.object, exchange.NounDataset: c.dataset}[noun]
		if ids, _ := s.list(t, exchange.Query{Noun: exchange.NounCertification, Parent: parent, PageSize: 10}); len(ids) != 1 {
			t.Errorf("certifications %s: %v", name, ids)
		}
	}
	got := get[exchange.Certification](t, s, exchange.NounCertification, c.object)
	if got.SealedDigest != digest("sealed "+c.version) || got.Owner != provider || got.Dataset != c.dataset ||
		got.Change.By != provider || got.Change.Name != decider.identity {
		t.Errorf("certified: %+v", got)
	}
	s.want(t, exchange.NotFound, decider, exchange.OpObjectCertify, "",
		&exchange.CertifyObject{Object: noID(exchange.NounObject), Statement: "nothing"})
	gone := s.stage(t).published().withdrawn()
	s.want(t, exchange.Conflict, decider, exchange.OpObjectCertify, "",
		&exchange.CertifyObject{Object: gone.object, Statement: "too late"})

	t.Run("by an officer suspended since", func(t *testing.T) {
		c := s.stage(t)
		c.terms.Certified = true
		c.granted().enrolled()
		who := actor{provider, c.name}
		word := &exchange.CertifyObject{Object: c.object, Statement: "as I saw it"}
		s.want(t, exchange.OK, who, exchange.OpObjectCertify, "", word)
		c.officerSuspended()
		s.want(t, exchange.OK, asker, exchange.OpGrantRedeem, "", redeem(c, 0))
		c.published()
		s.want(t, exchange.Denied, who, exchange.OpObjectCertify, "", &exchange.CertifyObject{Object: c.object, Statement: "again"})
	})
}
