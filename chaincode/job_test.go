package chaincode_test

import (
	"slices"
	"testing"

	"chancery/chaincode/contracttest"
	"chancery/chaincode/exchange"
)

// checkJobs looks at the whole ledger after the suite: every grant of a job is
// for that job alone, and every job is as far as what is on record for it.
func checkJobs(t *testing.T, m *contracttest.Memory) {
	t.Helper()
	jobs := all[exchange.Job](t, m, exchange.NounJob)
	grants := all[exchange.Grant](t, m, exchange.NounGrant)
	if len(jobs) == 0 {
		t.Fatal("no jobs")
	}
	for _, g := range grants {
		if j := jobs[g.Job]; g.Job != "" && (g.Spec != j.Digest || g.Grantee != j.Requester || !g.NotAfter.Equal(j.Spec.Deadline) || g.MaxUses != 1 ||
			g.Request != "" || !slices.Equal(g.Actions, []exchange.Action{exchange.Compute})) {
			t.Errorf("grant %+v of job %+v", g, j)
		}
	}
	for id, j := range jobs {
		digest, err := exchange.BodyDigest(j.Spec)
		if err != nil || digest != j.Digest || j.Requester == j.Spec.Keyholder || len(j.Parties) != len(j.Spec.Providers()) {
			t.Errorf("job %+v, with the digest %s (%v)", j, digest, err)
		}
		var given, aligned, contributed int
		for _, p := range j.Parties {
			if p.ApprovedTx != "" {
				given++
			}
			if p.Aligned {
				aligned++
			}
			if p.ContributedTx != "" {
				contributed++
			}
			for i, grant := range p.Grants {
				if g := grants[grant]; g.Job != id || g.Object != j.Spec.Inputs[j.Spec.InputsOf(p.Department)[i]].Object || g.GivenTx != p.ApprovedTx {
					t.Errorf("job %s has the grant %+v of %s", id, g, p.Department)
				}
			}
			has(t, m, p.ContributedTx != "", exchange.NounContribution, id+"/"+p.Department)
		}
		all, stands := len(j.Parties), slices.Index(stages, j.State)
		if j.State == exchange.JobAligned && j.Masked && contributed == all {
			t.Errorf("job %s has all that is evaluated and is %s", id, j.State)
		}
		if stands >= 0 && (stands >= 1 != (given == all) || stands >= 2 != (aligned == all) || stands >= 3 != (j.Masked && contributed == all)) {
			t.Errorf("job %s is %s: approved by %d, aligned by %d, contributed by %d of %d", id, j.State, given, aligned, contributed, all)
		}
		has(t, m, j.Masked, exchange.NounMask, id)
		if j.State != exchange.JobRefused && j.State != exchange.JobWithdrawn && j.State != exchange.JobFailed {
			reached := stands
			if j.State == exchange.JobDisputed {
				reached = 5
			}
			has(t, m, reached >= 4, exchange.NounEvaluation, id)
			has(t, m, reached >= 5, exchange.NounShare, id+"/"+j.Spec.Keyholder)
			has(t, m, reached >= 6, exchange.NounResult, id)
		}
	}
}

// stages are a job's states on its way, in their order.
var stages = []exchange.JobState{
	exchange.JobOpen, exchange.JobApproved, exchange.JobAligned, exchange.JobContributed, exchange.JobComputed, exchange.JobShared, exchange.JobClosed,
}

// has demands that a record is there, or that it is not.
func has(t *testing.T, m *contracttest.Memory, want bool, noun exchange.Noun, id string) {
	t.Helper()
	if _, err := m.Evaluate("labor", "auditor", "Get", string(noun), id); (err == nil) != want {
		t.Errorf("%s %s: %v, want it there: %t", noun, id, err, want)
	}
}
