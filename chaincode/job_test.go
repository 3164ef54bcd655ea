package chaincode_test

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

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
		if stands >= 0 && (stands >= 1 != (given == all) || stands >= 2 != (j.Masked && aligned == all) || stands >= 3 != (contributed == all)) {
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

// TestSharesToWhom takes from a requester what a share is sealed for: the key
// that the grants name, and the right to receive.
func TestSharesToWhom(t *testing.T) {
	d := newJobDesk(t)
	j := d.open("ask", start.Add(time.Hour))
	const untilShare = 8
	d.reached(j, untilShare)
	share := d.moves()[untilShare]

	var health exchange.Department
	d.get(&health, exchange.NounDepartment, "health")
	other := health
	other.Recipient = "age1" + strings.Repeat("z", 58)
	if err := d.Put(exchange.DepartmentKey("health"), other); err != nil { // which no function does yet
		t.Fatal(err)
	}
	if refusal := wantCode(t, d.make(share, j), exchange.Denied); !strings.Contains(refusal.Message, "recipient key") {
		t.Errorf("refused for %q, want the recipient", refusal.Message)
	}
	if err := d.Put(exchange.DepartmentKey("health"), health); err != nil {
		t.Fatal(err)
	}
	d.must("health", "admin", exchange.OpDepartmentSuspend, "", &exchange.ChangeDepartment{Name: "health", Reason: "audit"})
	wantCode(t, d.make(share, j), exchange.Denied)
	d.must("health", "admin", exchange.OpDepartmentReinstate, "", &exchange.ChangeDepartment{Name: "health", Reason: "audited"})
	if err := d.make(share, j); err != nil {
		t.Error(err)
	}
}

// TestLargeRecords lists contributions of which one page cannot hold as many as
// are asked for.
func TestLargeRecords(t *testing.T) {
	const count, size, most = 60, 200 << 10, 3 << 20
	d := desk{t, newLedger(t)}
	job := exchange.NewID(exchange.NounJob, "m", "c")
	for i := range count {
		by := "d" + strconv.Itoa(i)
		c := exchange.Contribution{Job: job, Department: by, Inputs: []exchange.Encrypted{{Ciphertexts: []string{strings.Repeat("x", size)}}}}
		if err := d.Put(exchange.ContributionKey(job, by), c); err != nil {
			t.Fatal(err)
		}
	}
	seen := make(map[string]bool)
	for q := (exchange.Query{Noun: exchange.NounContribution, Parent: job, PageSize: exchange.MaxPage}); ; {
		text, err := d.Evaluate("labor", "auditor", "List", encode(t, q))
		var page struct {
			Records  []exchange.Contribution
			Bookmark string
		}
		if err != nil || json.Unmarshal([]byte(text), &page) != nil {
			t.Fatalf("list: %v", err)
		}
		if len(text) > most || len(page.Records) == 0 {
			t.Errorf("a page of %d records, %d bytes", len(page.Records), len(text))
		}
		for _, c := range page.Records {
			seen[c.Department] = true
		}
		if q.Bookmark = page.Bookmark; q.Bookmark == "" {
			break
		}
	}
	if len(seen) != count {
		t.Errorf("found %d contributions, want %d", len(seen), count)
	}
}

// TestFailedStepLeavesJob has an operation fail after others of its batch have
// read the same job: what it would have changed shows nowhere.
func TestFailedStepLeavesJob(t *testing.T) {
	d := newJobDesk(t)
	j := d.open("ask", start.Add(time.Hour))
	d.reached(j, 5)
	contribute := func(command, ciphertext string) exchange.Operation {
		op, err := exchange.NewOperation(command, exchange.OpJobContribute,
			&exchange.Contribute{Job: j.ID, Inputs: []exchange.Encrypted{{Input: 0, Ciphertexts: []string{ciphertext}}}})
		if err != nil {
			t.Fatal(err)
		}
		return op
	}
	align, err := exchange.NewOperation("", exchange.OpJobAlign, &exchange.AlignJob{Job: j.ID, Missing: []string{"1"}})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := d.Submit("census", "worker", "Apply", encode(t, []exchange.Operation{
		contribute("", strings.Replace(d.ciphertext, "1.", "1.A", 1)), align, contribute("one", d.ciphertext), contribute("two", d.other),
	}))
	var outcomes []exchange.Outcome
	if err != nil || json.Unmarshal([]byte(answer), &outcomes) != nil || len(outcomes) != 4 {
		t.Fatalf("%s (%v)", answer, err)
	}
	for i, want := range []exchange.Code{exchange.Invalid, exchange.Conflict, exchange.OK, exchange.Again} {
		if outcomes[i].Code != want {
			t.Errorf("operation %d: %+v, want %s", i, outcomes[i], want)
		}
	}
	if now := d.job(j.ID); now.Parties[0].ContributedTx != outcomes[2].Tx || len(now.Parties[0].Missing) != 0 {
		t.Errorf("the job is %+v", now)
	}
}
