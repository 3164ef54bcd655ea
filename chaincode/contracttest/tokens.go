package contracttest

import (
	"testing"
	"time"

	"chancery/chaincode/exchange"
)

// testTerms asks beyond the terms, one way at a time.
func (s *suite) testTerms(t *testing.T) {
	c := s.stage(t)
	c.terms.Requesters, c.terms.Purposes = []string{requester}, []string{"planning"}
	c.terms.MaxUses, c.terms.MaxDuration = 3, 48*3600
	c.published()
	other := s.stage(t).published()
	gone := s.stage(t).published().withdrawn()
	for _, tc := range []struct {
		name string
		code exchange.Code
		ask  func(*exchange.OpenRequest)
	}{
		{"as allowed", exchange.OK, func(*exchange.OpenRequest) {}},
		{"by name", exchange.OK, func(q *exchange.OpenRequest) { q.Dataset = provider + "/" + c.name }},
		{"from now on", exchange.OK, func(q *exchange.OpenRequest) { q.NotBefore = time.Time{} }},
		{"for a while", exchange.OK, func(q *exchange.OpenRequest) {
			q.NotBefore, q.NotAfter, q.ValidFor = time.Time{}, time.Time{}, 48*3600
		}},
		{"for too long", exchange.Denied, func(q *exchange.OpenRequest) {
			q.NotBefore, q.NotAfter, q.ValidFor = time.Time{}, time.Time{}, 48*3600+1
		}},
		{"exact version", exchange.OK, func(q *exchange.OpenRequest) { q.Object = c.object }},
		{"all uses", exchange.OK, func(q *exchange.OpenRequest) { q.Uses = 3 }},
		{"too many uses", exchange.Denied, func(q *exchange.OpenRequest) { q.Uses = 4 }},
		{"another purpose", exchange.Denied, func(q *exchange.OpenRequest) { q.Purpose = "marketing" }},
		{"another action", exchange.Denied, func(q *exchange.OpenRequest) {
			q.Actions, q.Spec = []exchange.Action{exchange.Compute}, digest("job")
		}},
		{"one action more", exchange.Denied, func(q *exchange.OpenRequest) {
			q.Actions, q.Spec = []exchange.Action{exchange.Read, exchange.Compute}, digest("job")
		}},
		{"longest", exchange.OK, func(q *exchange.OpenRequest) { q.NotAfter = q.NotBefore.Add(48 * time.Hour) }},
		{"too long", exchange.Denied, func(q *exchange.OpenRequest) { q.NotAfter = q.NotBefore.Add(48*time.Hour + time.Second) }},
		{"over", exchange.Expired, func(q *exchange.OpenRequest) {
			q.NotBefore, q.NotAfter = q.NotBefore.Add(-time.Hour), q.NotBefore
		}},
		{"unknown dataset", exchange.NotFound, func(q *exchange.OpenRequest) { q.Dataset = noID(exchange.NounDataset) }},
		{"unknown name", exchange.NotFound, func(q *exchange.OpenRequest) { q.Dataset = provider + "/" + s.run }},
		{"unknown owner", exchange.NotFound, func(q *exchange.OpenRequest) { q.Dataset = s.run + "/" + c.name }},
		{"unknown version", exchange.NotFound, func(q *exchange.OpenRequest) { q.Object = noID(exchange.NounObject) }},
		{"version of another dataset", exchange.Invalid, func(q *exchange.OpenRequest) { q.Object = other.object }},
		{"withdrawn dataset", exchange.Conflict, func(q *exchange.OpenRequest) { q.Dataset = gone.dataset }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			q := c.question()
			tc.ask(q)
			s.want(t, tc.code, asker, exchange.OpRequestOpen, s.fresh(), q)
		})
	}
	t.Run("registered again", s.testRegisteredAgain)
	t.Run("another requester", func(t *testing.T) {
		s.want(t, exchange.Denied, witness, exchange.OpRequestOpen, s.fresh(), c.question())
	})
	t.Run("no command", func(t *testing.T) {
		s.want(t, exchange.Invalid, asker, exchange.OpRequestOpen, "", c.question())
	})
}

// testRegisteredAgain registers a dataset with the terms that it had, those that
// an officer has set since, and others.
func (s *suite) testRegisteredAgain(t *testing.T) {
	c := s.stage(t).registered()
	before := c.registration()
	c.terms.MaxUses = 2
	s.must(t, decider, exchange.OpDatasetSetTerms, "", &exchange.SetTerms{Dataset: c.dataset, Terms: c.terms})
	s.want(t, exchange.Exists, owner, exchange.OpDatasetRegister, s.fresh(), before)
	s.want(t, exchange.Exists, owner, exchange.OpDatasetRegister, s.fresh(), c.registration())
	c.terms.MaxUses = 3
	s.want(t, exchange.Conflict, owner, exchange.OpDatasetRegister, s.fresh(), c.registration())
	if d := get[exchange.Dataset](t, s, exchange.NounDataset, c.dataset); d.Terms.MaxUses != 2 {
		t.Errorf("the terms are %+v", d.Terms)
	}
}

// testGrants gives grants wider and narrower than the request and the terms.
func (s *suite) testGrants(t *testing.T) {
	begin := s.net.Now().UTC().Truncate(time.Second).Add(-time.Hour)
	newStage := func(t *testing.T, latest bool) *stage {
		c := s.stage(t)
		c.terms.Obligations = exchange.Obligations{DeleteWithin: 3600}
		c.published()
		return c.opened(func(q *exchange.OpenRequest) {
			q.NotBefore, q.NotAfter, q.Uses = begin, begin.Add(24*time.Hour), 3
			if !latest {
				q.Object = c.object
			}
		})
	}
	shared := newStage(t, false)
	exact := shared.published().object // a version that the request did not ask for
	for _, tc := range []struct {
		name   string
		code   exchange.Code
		change func(*exchange.GiveGrant)
	}{
		{"more uses", exchange.Denied, func(g *exchange.GiveGrant) { g.MaxUses = 4 }},
		{"earlier", exchange.Denied, func(g *exchange.GiveGrant) { g.NotBefore = begin.Add(-time.Second) }},
		{"later", exchange.Denied, func(g *exchange.GiveGrant) { g.NotAfter = begin.Add(24*time.Hour + time.Second) }},
		{"begins at its end", exchange.Invalid, func(g *exchange.GiveGrant) { g.NotBefore = begin.Add(24 * time.Hour) }},
		{"over", exchange.Expired, func(g *exchange.GiveGrant) { g.NotAfter = begin.Add(time.Minute) }},
		{"other action", exchange.Denied, func(g *exchange.GiveGrant) { g.Actions = []exchange.Action{exchange.Compute} }},
		{"fewer obligations", exchange.Denied, func(g *exchange.GiveGrant) { g.Obligations = &exchange.Obligations{NoOnwardSharing: true} }},
		{"longer to delete", exchange.Denied, func(g *exchange.GiveGrant) { g.Obligations = &exchange.Obligations{DeleteWithin: 3601} }},
		{"other version", exchange.Denied, func(g *exchange.GiveGrant) { g.Object = exact }},
		{"unknown request", exchange.NotFound, func(g *exchange.GiveGrant) { g.Request = noID(exchange.NounRequest) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			give := &exchange.GiveGrant{Request: shared.request}
			tc.change(give)
			s.want(t, tc.code, decider, exchange.OpGrantGive, s.fresh(), give)
		})
	}
	t.Run("no command", func(t *testing.T) {
		s.want(t, exchange.Invalid, decider, exchange.OpGrantGive, "", &exchange.GiveGrant{Request: shared.request})
	})
	t.Run("narrower", func(t *testing.T) {
		c := newStage(t, true)
		obligations := exchange.Obligations{DeleteWithin: 60, NoOnwardSharing: true}
		c.granted(func(g *exchange.GiveGrant) {
			g.MaxUses, g.Object, g.Obligations = 1, c.object, &obligations
			g.NotBefore, g.NotAfter = begin.Add(time.Minute), begin.Add(2*time.Hour)
		})
		g := get[exchange.Grant](t, s, exchange.NounGrant, c.grant)
		if g.MaxUses != 1 || g.Object != c.object || g.Version != digest("sealed "+c.version) || g.Obligations != obligations ||
			!g.NotBefore.Equal(begin.Add(time.Minute)) || !g.NotAfter.Equal(begin.Add(2*time.Hour)) {
			t.Errorf("grant: %+v", g)
		}
	})
	t.Run("actions", s.testGrantedActions)
	t.Run("terms narrowed since", s.testNarrowedTerms)
}

// testGrantedActions gives more and fewer actions than were asked for.
func (s *suite) testGrantedActions(t *testing.T) {
	t.Run("more than asked", func(t *testing.T) {
		c := s.stage(t)
		c.terms.Actions = []exchange.Action{exchange.Read, exchange.Compute}
		c.opened()
		s.want(t, exchange.Denied, decider, exchange.OpGrantGive, s.fresh(), &exchange.GiveGrant{Request: c.request, Actions: c.terms.Actions})
	})
	t.Run("fewer actions", func(t *testing.T) {
		c := s.stage(t)
		c.terms.Actions = []exchange.Action{exchange.Read, exchange.Compute}
		c.opened(func(q *exchange.OpenRequest) { q.Actions, q.Spec = c.terms.Actions, digest("job") })
		c.granted(func(g *exchange.GiveGrant) { g.Actions = []exchange.Action{exchange.Compute} })
		if g := get[exchange.Grant](t, s, exchange.NounGrant, c.grant); len(g.Actions) != 1 || g.Spec != digest("job") {
			t.Errorf("grant: %+v", g)
		}
	})
}

// testNarrowedTerms sets narrower terms between request and grant.
func (s *suite) testNarrowedTerms(t *testing.T) {
	c := s.stage(t).opened()
	terms := openTerms()
	terms.MaxUses, terms.MaxDuration, terms.Attestations = 1, 7200, 1
	s.must(t, decider, exchange.OpDatasetSetTerms, "", &exchange.SetTerms{Dataset: c.dataset, Terms: terms})
	s.want(t, exchange.Denied, decider, exchange.OpGrantGive, s.fresh(), &exchange.GiveGrant{Request: c.request, MaxUses: 2})
	s.want(t, exchange.Denied, decider, exchange.OpGrantGive, s.fresh(), &exchange.GiveGrant{Request: c.request, NotAfter: s.net.Now().Add(3 * time.Hour)})
	c.granted()
	g := get[exchange.Grant](t, s, exchange.NounGrant, c.grant)
	if g.MaxUses != 1 || g.Attestations != 1 || g.NotAfter.Sub(g.NotBefore) != 2*time.Hour {
		t.Errorf("grant: %+v", g)
	}
	late := s.stage(t).opened()
	terms.Requesters = []string{third}
	s.must(t, decider, exchange.OpDatasetSetTerms, "", &exchange.SetTerms{Dataset: late.dataset, Terms: terms})
	s.want(t, exchange.Denied, decider, exchange.OpGrantGive, s.fresh(), &exchange.GiveGrant{Request: late.request})
	s.want(t, exchange.OK, actor{provider, s.policy()}, exchange.OpRequestRefuse, "", &exchange.EndRequest{Request: late.request, Reason: "terms changed"})
}
