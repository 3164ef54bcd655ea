package contracttest

import (
	"encoding/json"
	"math/big"
	"slices"
	"testing"

	"chancery/chaincode/exchange"
	"chancery/crypto/paillier"
)

// testJob goes once through a computation and looks at what is on record. The
// result is that of the plaintexts.
func (s *suite) testJob(t *testing.T) {
	c := s.stage(t).shared()
	s.must(t, asker, exchange.OpJobClose, "", c.closing())
	f := s.computing

	j := c.record()
	e := get[exchange.Evaluation](t, s, exchange.NounEvaluation, c.job)
	mask := get[exchange.Mask](t, s, exchange.NounMask, c.job)
	var contributions []exchange.Contribution
	for _, p := range j.Parties {
		k := get[exchange.Contribution](t, s, exchange.NounContribution, c.job+"/"+p.Department)
		if k.Department != p.Department || k.Change.Tx != p.ContributedTx {
			t.Errorf("contribution of %+v: %+v", p, k)
		}
		contributions = append(contributions, k)
	}
	slices.Reverse(contributions)
	again, err := exchange.Evaluate(f.key.Public(), j, contributions, mask)
	if err != nil || !slices.Equal(again, e.Ciphertexts) || e.Digest != exchange.CiphertextsDigest(again) {
		t.Errorf("evaluated again: %v, %v", again, err)
	}
	want := make([]int64, len(j.Spec.Keys))
	for _, d := range providers {
		for i, v := range values[d] {
			want[i] += weights[d] * v
		}
	}
	if got := opened(t, f.key, j, e.Ciphertexts); !slices.Equal(got, want) {
		t.Errorf("the result is %v, want %v", got, want)
	}

	share := get[exchange.Share](t, s, exchange.NounShare, c.job+"/"+third)
	if share.Digest != e.Digest || share.Requester != requester || share.Department != third || share.Change.By != third {
		t.Errorf("share: %+v", share)
	}
	if r := get[exchange.Result](t, s, exchange.NounResult, c.job); r.Commitment != c.closing().Commitment || r.Requester != requester || j.State != exchange.JobClosed {
		t.Errorf("result: %+v of a job that is %s", r, j.State)
	}
	text, err := s.net.Evaluate(requester, string(exchange.Worker), "History", string(exchange.NounJob), c.job)
	var versions []struct{ Record exchange.Job }
	if err != nil || json.Unmarshal([]byte(text), &versions) != nil || len(versions) != 11 || versions[0].Record.State != exchange.JobOpen || versions[10].Record.State != exchange.JobClosed {
		t.Errorf("%d versions: %s (%v)", len(versions), text, err)
	}
	s.testJobQueries(t, c)
}

// opened decrypts an evaluation and takes the mask away, as keyholder and
// requester do between them.
func opened(t *testing.T, sk *paillier.PrivateKey, j exchange.Job, texts []string) []int64 {
	t.Helper()
	packing, err := j.Spec.Packing(sk.Bits())
	if err != nil {
		t.Fatal(err)
	}
	list, err := exchange.DecodeCiphertexts(sk.Public(), texts, packing.Plaintexts(len(j.Keys())))
	if err != nil {
		t.Fatal(err)
	}
	plaintexts := make([]*big.Int, len(list))
	for i, c := range list {
		if plaintexts[i], err = sk.Decrypt(c); err != nil {
			t.Fatal(err)
		}
		plaintexts[i].Sub(plaintexts[i], maskNumber).Mod(plaintexts[i], sk.Public().N())
	}
	result, err := packing.Unpack(plaintexts, len(j.Keys()))
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// testJobQueries finds a closed job and what belongs to it.
func (s *suite) testJobQueries(t *testing.T, c *stage) {
	t.Helper()
	for noun, id := range map[exchange.Noun]string{
		exchange.NounMask: c.job + "/" + requester, exchange.NounContribution: c.job, exchange.NounShare: c.job, exchange.NounKeyring: third + "/no keyring",
		exchange.NounEvaluation: c.job + "/0", exchange.NounResult: noID(exchange.NounGrant),
	} {
		if _, code := s.evaluate(t, "Get", string(noun), id); code != exchange.Invalid {
			t.Errorf("get %s %s: %s, want %s", noun, id, code, exchange.Invalid)
		}
	}
	for name, tc := range map[string]struct {
		query exchange.Query
		count int
	}{
		"contributions":            {exchange.Query{Noun: exchange.NounContribution, Parent: c.job}, 2},
		"of a provider":            {exchange.Query{Noun: exchange.NounContribution, Parent: c.job, Department: provider}, 1},
		"of another":               {exchange.Query{Noun: exchange.NounContribution, Parent: noID(exchange.NounJob)}, 0},
		"mask":                     {exchange.Query{Noun: exchange.NounMask, Parent: c.job}, 1},
		"evaluation":               {exchange.Query{Noun: exchange.NounEvaluation, Parent: c.job}, 1},
		"share":                    {exchange.Query{Noun: exchange.NounShare, Parent: c.job, Department: requester}, 1},
		"result":                   {exchange.Query{Noun: exchange.NounResult, Parent: c.job, Department: requester}, 1},
		"jobs under the keyring":   {exchange.Query{Noun: exchange.NounJob, Parent: s.computing.keyring, State: string(exchange.JobClosed)}, 1},
		"jobs with the dataset":    {exchange.Query{Noun: exchange.NounJob, Parent: s.computing.dataset[provider], Department: third}, 1},
		"jobs with other datasets": {exchange.Query{Noun: exchange.NounJob, Parent: s.computing.dataset[requester]}, 0},
	} {
		tc.query.PageSize = 10
		if ids, _ := s.list(t, tc.query); len(ids) != tc.count {
			t.Errorf("%s: %v, want %d", name, ids, tc.count)
		}
	}
	held := exchange.Query{Noun: exchange.NounKeyring, Department: third, State: string(exchange.KeyringActive), PageSize: 500}
	if ids, _ := s.list(t, held); !slices.Contains(ids, s.computing.keyring) {
		t.Errorf("%s holds the keyrings %v", third, ids)
	}
}

// testEvaluations revokes what was given, and opens something else.
func (s *suite) testEvaluations(t *testing.T) {
	t.Run("revoked before the evaluation", s.parallel(func(t *testing.T) {
		c := s.stage(t).contributed().revokedInput(third)
		s.want(t, exchange.Revoked, asker, exchange.OpJobEvaluate, "", &exchange.EvaluateJob{Job: c.job})
	}))
	t.Run("revoked before the share", s.parallel(func(t *testing.T) {
		c := s.stage(t).computed().revokedInput(provider)
		s.want(t, exchange.Revoked, holder(exchange.Worker), exchange.OpJobShare, "", c.opening())
		s.want(t, exchange.OK, asker, exchange.OpJobWithdraw, "", c.end("revoked"))
	}))
	t.Run("share of something else", s.parallel(func(t *testing.T) {
		c := s.stage(t).computed()
		b := c.opening()
		b.Digest = digest("something else")
		s.want(t, exchange.Conflict, holder(exchange.Worker), exchange.OpJobShare, "", b)
		for name, text := range map[string]string{"plain": "cGxhaW4=", "no base64": "!", "lines": sealed("a") + "\n"} {
			b := c.opening()
			b.Sealed = text
			if _, err := s.do(t, holder(exchange.Worker), exchange.OpJobShare, "", b); codeOf(exchange.Outcome{}, err) != exchange.Invalid {
				t.Errorf("%s: %v, want %s", name, err, exchange.Invalid)
			}
		}
		s.want(t, exchange.OK, holder(exchange.Worker), exchange.OpJobShare, "", c.opening())
		s.want(t, exchange.Exists, holder(exchange.Worker), exchange.OpJobShare, "", c.opening())
		b = c.opening()
		b.Sealed = sealed("other bytes")
		s.want(t, exchange.Conflict, holder(exchange.Worker), exchange.OpJobShare, "", b)
	}))
	t.Run("twice in a batch", s.parallel(func(t *testing.T) {
		c := s.stage(t).approved()
		ops := []exchange.Operation{
			s.operation(t, exchange.OpJobMask, "", c.masking()),
			s.operation(t, exchange.OpJobWithdraw, "", c.end("no")),
		}
		s.applied(t, asker, []exchange.Code{exchange.OK, exchange.Again}, ops...)
		s.applied(t, asker, []exchange.Code{exchange.Exists, exchange.OK}, ops...)
		s.applied(t, owner, []exchange.Code{exchange.Denied, exchange.Denied},
			s.operation(t, exchange.OpJobApprove, "", c.approval()),
			s.operation(t, exchange.OpJobShare, "", c.opening()))
	}))
}
