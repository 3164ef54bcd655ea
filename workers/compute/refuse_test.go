package compute_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/test/workertest"
	"chancery/workers"
)

// TestBadTables end the job with a reason that says where, and not what.
func TestBadTables(t *testing.T) {
	for name, c := range map[string]struct{ table, want string }{
		"no such column": {"k,w\n1,1\n", `column "v": missing`},
		"no number":      {"k,v\n1,1\n2,hush\n", `row 2, column "v": not a number`},
		"NaN":            {"k,v\n1,NaN\n", `row 1, column "v": not a finite number`},
		"thousands":      {"k,v\n1,\"12,345\"\n", `row 1, column "v": not a number: separators of thousands are not read`},
		"out of range":   {"k,v\n3,99999999\n", `column "v": the value of key "3" is outside the range`},
		"key twice":      {"k,v\n1,1\n1,1\n", `row 2, column "k": key "1" is in row 1 already`},
		"key not there":  {"k,v\n,1\n", `row 1, column "k": no key`},
		"no table":       {"", `no header`},
	} {
		t.Run(name, func(t *testing.T) {
			c2 := few(t, table, c.table, table)
			c2.Open(t)
			approveAll(t, c2)
			run(t, c2)
			j := c2.Look(t)
			if j.State != exchange.JobFailed || !strings.HasPrefix(j.Change.Reason, "input 1, b of health: ") || !strings.Contains(j.Change.Reason, c.want) {
				t.Errorf("the job is %s: %s", j.State, j.Change.Reason)
			}
			if strings.Contains(j.Change.Reason, "hush") || strings.Contains(j.Change.Reason, "12,345") || strings.Contains(j.Change.Reason, "99999999") {
				t.Errorf("the reason shows a value: %s", j.Change.Reason)
			}
		})
	}
}

// TestUnsafeApprovals are approvals of health that health's worker does not act
// on: nothing of its tables leaves it, and the job ends.
func TestUnsafeApprovals(t *testing.T) {
	approval := func(change func(c *workertest.Computation, tx *ledger.Transaction)) func(*testing.T, *workertest.Computation) {
		return func(_ *testing.T, c *workertest.Computation) {
			c.Health.Tx = func(tx *ledger.Transaction) {
				if tx.Function == "ApproveJob" && tx.Creator.MSP == c.Health.MSP {
					change(c, tx)
				}
			}
		}
	}
	record := func(noun exchange.Noun, from, to string) func(*testing.T, *workertest.Computation) {
		return func(_ *testing.T, c *workertest.Computation) {
			c.Health.Record = func(n exchange.Noun, _ string, data json.RawMessage) json.RawMessage {
				if n == noun {
					return json.RawMessage(strings.ReplaceAll(string(data), from, to))
				}
				return data
			}
		}
	}
	for name, c := range map[string]struct {
		lie  func(t *testing.T, c *workertest.Computation)
		want string
	}{
		"not endorsed by the own peer": {approval(func(c *workertest.Computation, tx *ledger.Transaction) {
			tx.Endorsers = tx.Endorsers[:1] // that of census
		}), "was not endorsed by the peer of health"},
		"signed by another department": {approval(func(c *workertest.Computation, tx *ledger.Transaction) {
			tx.Creator.MSP = c.Census.MSP
		}), "was not signed by health"},
		"signed by a worker": {approval(func(c *workertest.Computation, tx *ledger.Transaction) {
			tx.Creator.Cert = c.Certificate("health", "worker")
		}), "whose role is worker"},
		"of another chaincode": {approval(func(_ *workertest.Computation, tx *ledger.Transaction) { tx.Chaincode = "forger" }), "was not told to the contract"},
		"invalid":              {approval(func(_ *workertest.Computation, tx *ledger.Transaction) { tx.Code = "MVCC_READ_CONFLICT" }), "was not signed by health"},
		"of another spec": {approval(func(_ *workertest.Computation, tx *ledger.Transaction) {
			var b exchange.ApproveJob
			if err := json.Unmarshal([]byte(tx.Args[1]), &b); err == nil {
				tx.Args[1] = strings.Replace(tx.Args[1], b.Spec, strings.Repeat("0", 64), 1)
			}
		}), "is not what health signed"},
		"of another operation":       {approval(func(_ *workertest.Computation, tx *ledger.Transaction) { tx.Function = "RefuseJob" }), "is not what health signed"},
		"spec altered since":         {record(exchange.NounJob, `"weight":1`, `"weight":2`), "has the digest"},
		"keyholder is the requester": {record(exchange.NounJob, `"keyholder":"labor"`, `"keyholder":"census"`), "has the digest"},
		"grant for another version":  {record(exchange.NounGrant, `"version":"`, `"version":"0`), "is for another dataset or version"},
		"grant for another":          {record(exchange.NounGrant, `"grantee":"census"`, `"grantee":"labor"`), "is between health and labor"},
		"another key in the keyring": {record(exchange.NounKeyring, `"keyholder":"labor"`, `"keyholder":"census"`), "is under the key"},
		"revoked": {func(t *testing.T, c *workertest.Computation) {
			c.Client("health", "officer").Must(t, "", exchange.OpGrantRevoke, &exchange.RevokeGrant{Grant: exchange.JobGrantID(c.Job, 1), Reason: "misused"})
		}, "is revoked: misused"},
		"revoked, and taken back by others": {func(t *testing.T, c *workertest.Computation) {
			id := exchange.JobGrantID(c.Job, 1)
			var g exchange.Grant
			if err := c.Health.Get(t.Context(), exchange.NounGrant, id, &g); err != nil {
				t.Fatal(err)
			}
			c.Client("health", "officer").Must(t, "", exchange.OpGrantRevoke, &exchange.RevokeGrant{Grant: id, Reason: "misused"})
			c.Put(t, exchange.GrantKey(id), g)
		}, "was revoked in transaction"},
		"never sealed here": {func(_ *testing.T, c *workertest.Computation) { c.Health.Vault.Journal = c.Labor.Vault.Journal }, "was never sealed here"},
		"other bytes": {func(t *testing.T, c *workertest.Computation) {
			var o exchange.Object
			if err := c.Health.Get(t.Context(), exchange.NounObject, c.Look(t).Spec.Inputs[1].Object, &o); err != nil {
				t.Fatal(err)
			}
			c.Health.Node.PutAt(o.CID, []byte("something else"))
		}, "sealed bytes do not match"},
	} {
		t.Run(name, func(t *testing.T) {
			scene := few(t, table, table, table)
			scene.Open(t)
			run(t, scene) // the mask
			approveAll(t, scene)
			c.lie(t, scene)
			verdicts := scene.Run(t, staff(scene)...)
			if count(scene, exchange.JobWasContributed) > 0 {
				for _, p := range scene.Look(t).Parties {
					if p.Department == "health" && (p.Aligned || p.ContributedTx != "") {
						t.Error("health contributed")
					}
				}
			}
			j := scene.Look(t)
			if j.State != exchange.JobFailed || !strings.Contains(j.Change.Reason, c.want) {
				t.Errorf("the job is %s: %s, verdicts %v, want %q", j.State, j.Change.Reason, verdicts, c.want)
			}
		})
	}
}

// TestStopped are jobs that cannot go on: they end with a reason and wait for
// nothing.
func TestStopped(t *testing.T) {
	revoke := func(t *testing.T, c *workertest.Computation) {
		c.Client("health", "officer").Must(t, "", exchange.OpGrantRevoke, &exchange.RevokeGrant{Grant: exchange.JobGrantID(c.Job, 1), Reason: "misused"})
	}
	for name, c := range map[string]struct {
		before exchange.Op // which operation it happens
		stop   func(t *testing.T, c *workertest.Computation)
		state  exchange.JobState
		want   string
	}{
		"dataset withdrawn": {exchange.OpJobAlign, func(t *testing.T, c *workertest.Computation) {
			c.Client("health", "officer").Must(t, "", exchange.OpDatasetWithdraw, &exchange.Withdraw{Dataset: c.Look(t).Spec.Inputs[1].Dataset, Reason: "superseded"})
		}, exchange.JobFailed, "dataset b is withdrawn: superseded"},
		"revoked before it is computed": {exchange.OpJobEvaluate, revoke, exchange.JobWithdrawn, "misused"},
	} {
		t.Run(name, func(t *testing.T) {
			scene := few(t, table, table, table)
			scene.Open(t)
			approveAll(t, scene)
			stopped := false
			scene.Census.Answer = func(op exchange.Operation, next func() (exchange.Outcome, error)) (exchange.Outcome, error) {
				if op.Op == c.before && !stopped {
					stopped = true
					c.stop(t, scene)
				}
				return next()
			}
			if verdicts := scene.Run(t, worker(scene.Census, scene.Now), worker(scene.Health, scene.Now), worker(scene.Labor, scene.Now)); len(verdicts) > 0 {
				t.Errorf("verdicts %v", verdicts)
			}
			if j := scene.Look(t); j.State != c.state || !strings.Contains(j.Change.Reason, c.want) {
				t.Errorf("the job is %s: %s, want %q", j.State, j.Change.Reason, c.want)
			}
		})
	}
}

// TestUnfixed are a mask and a contribution of the requester's that it could still
// make of what health would contribute: health ends the job before it does.
func TestUnfixed(t *testing.T) {
	twice := func(noun exchange.Noun) func(*workertest.Computation) {
		return func(c *workertest.Computation) {
			c.Health.Versions = func(n exchange.Noun, _ string, list []exchange.HistoryEntry) []exchange.HistoryEntry {
				if n != noun {
					return list
				}
				again := list[0]
				again.Tx = "again"
				return append(list, again)
			}
		}
	}
	signed := func(op exchange.Op, change func(c *workertest.Computation, tx *ledger.Transaction)) func(*workertest.Computation) {
		return func(c *workertest.Computation) {
			c.Health.Tx = func(tx *ledger.Transaction) {
				if tx.Creator.MSP == c.Census.MSP && strings.Contains(strings.Join(tx.Args, ""), `"op":"`+string(op)+`"`) {
					change(c, tx)
				}
			}
		}
	}
	byLabor := func(c *workertest.Computation, tx *ledger.Transaction) { tx.Creator.MSP = c.Labor.MSP }
	for name, c := range map[string]struct {
		lie  func(*workertest.Computation)
		want string
	}{
		"mask made twice":             {twice(exchange.NounMask), "was written by transaction again too"},
		"mask of another":             {signed(exchange.OpJobMask, byLabor), "was not signed by census"},
		"own contribution made twice": {twice(exchange.NounContribution), "was written by transaction again too"},
		"own contribution of another": {signed(exchange.OpJobContribute, byLabor), "was not signed by census"},
		"own contribution is none": {signed(exchange.OpJobContribute, func(_ *workertest.Computation, tx *ledger.Transaction) {
			tx.Code = "MVCC_READ_CONFLICT"
		}), "was not signed by census"},
	} {
		t.Run(name, func(t *testing.T) {
			scene := few(t, table, table, table)
			scene.Open(t)
			approveAll(t, scene)
			c.lie(scene)
			verdicts := scene.Run(t, worker(scene.Census, scene.Now), worker(scene.Health, scene.Now), worker(scene.Labor, scene.Now))
			j := scene.Look(t)
			if health, _ := j.Party("health"); health.ContributedTx != "" || !health.Aligned {
				t.Errorf("health is %+v", health)
			}
			if j.State != exchange.JobFailed || !strings.Contains(j.Change.Reason, c.want) {
				t.Errorf("the job is %s: %s, verdicts %v", j.State, j.Change.Reason, verdicts)
			}
		})
	}
}

// TestWaits for what comes by itself, without giving up.
func TestWaits(t *testing.T) {
	t.Run("attestation", func(t *testing.T) {
		c := workertest.NewComputation(t, begin)
		for i, m := range []*workertest.Member{c.Census, c.Health, c.Labor} {
			terms := workertest.Terms()
			if i == 1 {
				terms.Attestations = 1
			}
			c.Publish(t, workertest.Input{
				Member: m, Name: "t", MediaType: "text/csv", Content: table, Input: exchange.Input{Key: "k", Value: "v", Weight: 1},
			}, terms)
		}
		c.Plan.Keys, c.Plan.Scale = []string{"1"}, 2
		c.Open(t)
		approveAll(t, c)
		verdicts := c.Run(t, staff(c)...)
		if len(verdicts) == 0 {
			t.Fatal("nobody waits")
		}
		for _, err := range verdicts {
			if !workers.Retried(err) {
				t.Errorf("verdict %v", err)
			}
		}
		c.Labor.Must(t, "", exchange.OpObjectAttest, &exchange.AttestObject{Object: c.Look(t).Spec.Inputs[1].Object, Verdict: exchange.Good})
		c.Replay()
		run(t, c)
		if j := c.Look(t); j.State != exchange.JobClosed {
			t.Errorf("the job is %s", j.State)
		}
	})
	t.Run("node", func(t *testing.T) {
		c := few(t, table, table, table)
		c.Open(t)
		approveAll(t, c)
		c.Health.Node.Away = workertest.ErrAway
		for _, err := range c.Run(t, staff(c)...) {
			if !workers.Retried(err) {
				t.Errorf("verdict %v", err)
			}
		}
		if j := c.Look(t); j.State != exchange.JobApproved {
			t.Errorf("the job is %s", j.State)
		}
	})
	t.Run("peer that is behind", func(t *testing.T) {
		c := few(t, table, table, table)
		c.Open(t)
		var early json.RawMessage
		early, err := exchange.Encode(c.Look(t))
		if err != nil {
			t.Fatal(err)
		}
		approveAll(t, c)
		c.Health.Record = func(noun exchange.Noun, _ string, record json.RawMessage) json.RawMessage {
			if noun == exchange.NounJob {
				return early
			}
			return record
		}
		verdicts := c.Run(t, worker(c.Health, c.Now))
		if len(verdicts) != 3 {
			t.Fatalf("verdicts %v", verdicts)
		}
		for _, err := range verdicts {
			if !workers.Retried(err) || !strings.Contains(err.Error(), "behind") {
				t.Errorf("verdict %v", err)
			}
		}
	})
}

// TestLeftAlone are jobs for which nothing is done.
func TestLeftAlone(t *testing.T) {
	for name, stop := range map[string]func(t *testing.T, c *workertest.Computation) func() time.Time{
		"over by the own clock": func(_ *testing.T, c *workertest.Computation) func() time.Time {
			return func() time.Time { return c.Plan.Deadline }
		},
		"over by the ledger's clock": func(_ *testing.T, c *workertest.Computation) func() time.Time {
			c.Until(c.Plan.Deadline)
			return func() time.Time { return begin }
		},
		"withdrawn": func(t *testing.T, c *workertest.Computation) func() time.Time {
			c.Census.Must(t, "", exchange.OpJobWithdraw, &exchange.EndJob{Job: c.Job, Reason: "asked too much"})
			return c.Now
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := few(t, table, table, table)
			c.Open(t)
			approveAll(t, c)
			now := stop(t, c)
			before := len(events(c))
			for _, m := range []*workertest.Member{c.Census, c.Health, c.Labor} {
				if verdicts := c.Run(t, worker(m, now)); len(verdicts) > 0 {
					t.Errorf("verdicts %v", verdicts)
				}
				c.Replay()
			}
			if after := len(events(c)); after != before {
				t.Errorf("%d events after the job was over", after-before)
			}
		})
	}
}
