package contracttest

import (
	"slices"
	"testing"
	"time"

	"chancery/chaincode/exchange"
)

// testApprovals approves what was not asked for, and looks at the grants.
func (s *suite) testApprovals(t *testing.T) {
	t.Run("grants", s.parallel(s.testJobGrants))
	t.Run("another spec", s.parallel(func(t *testing.T) {
		c := s.stage(t).proposed()
		s.want(t, exchange.Conflict, decider, exchange.OpJobApprove, "", &exchange.ApproveJob{Job: c.job, Spec: digest("another")})
		s.want(t, exchange.OK, decider, exchange.OpJobApprove, "", c.approval())
		s.want(t, exchange.Exists, decider, exchange.OpJobApprove, "", c.approval())
		s.want(t, exchange.Exists, actor{provider, s.policy()}, exchange.OpJobApprove, "", c.approval())
		s.want(t, exchange.Conflict, decider, exchange.OpJobApprove, "", &exchange.ApproveJob{Job: c.job, Spec: digest("another")})
		if j := c.record(); j.State != exchange.JobOpen {
			t.Errorf("the job is %s after one approval of two", j.State)
		}
	}))
	t.Run("terms narrowed since", s.parallel(func(t *testing.T) {
		c, data := s.onOwnData(t)
		data.terms.Requesters = []string{third}
		s.must(t, decider, exchange.OpDatasetSetTerms, "", &exchange.SetTerms{Dataset: data.dataset, Terms: data.terms})
		s.want(t, exchange.Denied, decider, exchange.OpJobApprove, "", c.approval())
	}))
	t.Run("terms shortened since", s.parallel(func(t *testing.T) {
		c, data := s.onOwnData(t)
		data.terms.MaxDuration = 3600
		s.must(t, decider, exchange.OpDatasetSetTerms, "", &exchange.SetTerms{Dataset: data.dataset, Terms: data.terms})
		s.want(t, exchange.Denied, decider, exchange.OpJobApprove, "", c.approval())
	}))
	t.Run("dataset withdrawn since", s.parallel(func(t *testing.T) {
		c, data := s.onOwnData(t)
		data.withdrawn()
		s.want(t, exchange.Conflict, decider, exchange.OpJobApprove, "", c.approval())
		s.want(t, exchange.OK, decider, exchange.OpJobRefuse, "", c.end("withdrawn"))
	}))
	t.Run("after the deadline", s.parallel(func(t *testing.T) {
		end := s.net.Now().UTC().Add(5 * time.Second)
		c := s.stage(t).proposed(func(p *exchange.Plan) { p.Deadline = end })
		s.net.Until(end)
		s.want(t, exchange.Expired, decider, exchange.OpJobApprove, "", c.approval())
		s.want(t, exchange.Expired, asker, exchange.OpJobMask, "", c.masking())
		s.want(t, exchange.OK, asker, exchange.OpJobWithdraw, "", c.end("too late"))
	}))
}

// onOwnData has a job whose input of census is a dataset of the case's own.
func (s *suite) onOwnData(t *testing.T, changes ...func(*exchange.Terms)) (c, data *stage) {
	t.Helper()
	data = s.termed(t, func(terms *exchange.Terms) {
		for _, change := range changes {
			change(terms)
		}
	})
	c = s.stage(t).proposed(func(p *exchange.Plan) { p.Inputs[0].Dataset, p.Inputs[0].Object = data.dataset, "" })
	return c, data
}

// testJobGrants approves two inputs of census at once.
func (s *suite) testJobGrants(t *testing.T) {
	data := s.termed(t, func(terms *exchange.Terms) {
		terms.Obligations, terms.Attestations = exchange.Obligations{DeleteWithin: 60}, 1
	}).attested(requester, exchange.Good)
	c := s.stage(t).proposed(func(p *exchange.Plan) {
		p.Inputs = append(p.Inputs, exchange.Input{Dataset: data.dataset, Key: "state", Value: "rate", Weight: 5})
	})
	out := s.must(t, decider, exchange.OpJobApprove, "", c.approval())
	j := c.record()
	p, _ := j.Party(provider)
	want := []string{exchange.JobGrantID(c.job, 0), exchange.JobGrantID(c.job, 2)}
	if p.ApprovedTx != out.Tx || !slices.Equal(p.Grants, want) {
		t.Fatalf("%s is %+v, want the grants %v of %s", provider, p, want, out.Tx)
	}
	g := get[exchange.Grant](t, s, exchange.NounGrant, p.Grants[1])
	d := get[exchange.Department](t, s, exchange.NounDepartment, requester)
	if g.Job != c.job || g.Request != "" || g.Spec != c.spec || g.Dataset != data.dataset || g.Object != data.object ||
		g.Version != digest("sealed "+data.version) || g.Owner != provider || g.Grantee != requester || g.Recipient != exchange.RecipientFingerprint(d.Recipient) ||
		g.MaxUses != 1 || g.Attestations != 1 || g.Obligations.DeleteWithin != 60 || g.GivenTx != out.Tx || g.State != exchange.GrantGiven ||
		!g.NotAfter.Equal(j.Spec.Deadline) || !g.NotBefore.Equal(j.Change.Time) || !slices.Equal(g.Actions, []exchange.Action{exchange.Compute}) {
		t.Errorf("grant: %+v", g)
	}
	if ids, _ := s.list(t, exchange.Query{Noun: exchange.NounGrant, Parent: c.job, PageSize: 10}); len(ids) != 2 {
		t.Errorf("the job has the grants %v", ids)
	}
	s.want(t, exchange.Denied, asker, exchange.OpGrantRedeem, "", &exchange.RedeemGrant{Grant: g.ID})
}
