package contracttest

import (
	"encoding/base64"
	"math/big"
	"slices"
	"testing"

	"chancery/chaincode/exchange"
	"chancery/crypto/paillier"
)

// testAlignments says what tables lack, and what they cannot.
func (s *suite) testAlignments(t *testing.T) {
	t.Run("keys", s.parallel(func(t *testing.T) {
		c := s.stage(t).approved()
		lacks := func(keys ...string) *exchange.AlignJob { return &exchange.AlignJob{Job: c.job, Missing: keys} }
		for _, keys := range [][]string{{"3"}, {"1", "3"}, {"17", "1"}, {"1", "1"}, {"1", "2", "17", "1"}, {""}} {
			s.want(t, exchange.Invalid, owner, exchange.OpJobAlign, "", lacks(keys...))
		}
		s.want(t, exchange.OK, owner, exchange.OpJobAlign, "", lacks("1"))
		s.want(t, exchange.Exists, owner, exchange.OpJobAlign, "", lacks("1"))
		s.want(t, exchange.Conflict, owner, exchange.OpJobAlign, "", lacks("1", "2"))
		s.want(t, exchange.Conflict, owner, exchange.OpJobAlign, "", lacks())
		if j := c.record(); j.State != exchange.JobApproved {
			t.Errorf("the job is %s after one department of two", j.State)
		}
		s.want(t, exchange.OK, asker, exchange.OpJobMask, "", c.masking())
		s.want(t, exchange.OK, witness, exchange.OpJobAlign, "", lacks("17"))
		if j := c.record(); j.State != exchange.JobAligned || !slices.Equal(j.Keys(), []string{"2"}) {
			t.Errorf("the job is %s with the keys %v", j.State, j.Keys())
		}
		s.want(t, exchange.Exists, owner, exchange.OpJobAlign, "", lacks("1"))
		s.want(t, exchange.Conflict, owner, exchange.OpJobAlign, "", lacks())
	}))
	t.Run("no common key", s.parallel(func(t *testing.T) {
		c := s.stage(t).approved()
		s.want(t, exchange.OK, owner, exchange.OpJobAlign, "", &exchange.AlignJob{Job: c.job, Missing: []string{"1", "17"}})
		s.want(t, exchange.OK, witness, exchange.OpJobAlign, "", &exchange.AlignJob{Job: c.job, Missing: []string{"1", "2"}})
		if j := c.record(); j.State != exchange.JobFailed || j.Change.Reason == "" {
			t.Errorf("the job is %+v", j)
		}
		s.want(t, exchange.Conflict, asker, exchange.OpJobMask, "", c.masking())
	}))
}

// testContributions contributes what cannot be used.
func (s *suite) testContributions(t *testing.T) {
	t.Run("ciphertexts", s.parallel(s.testCiphertexts))
	t.Run("inputs", s.parallel(s.testInputs))
	t.Run("requester first", s.parallel(s.testRequesterFirst))
	s.testUngranted(t)
	s.testMasks(t)
}

// testUngranted contributes what no grant lets a job have, or not yet.
func (s *suite) testUngranted(t *testing.T) {
	t.Run("not approved", s.parallel(func(t *testing.T) {
		c := s.stage(t).proposed()
		s.want(t, exchange.Conflict, owner, exchange.OpJobContribute, "", c.contribution(provider))
	}))
	t.Run("revoked", s.parallel(func(t *testing.T) {
		c := s.stage(t).aligned().revokedInput(provider)
		s.want(t, exchange.Revoked, owner, exchange.OpJobContribute, "", c.contribution(provider))
		s.want(t, exchange.OK, witness, exchange.OpJobContribute, "", c.contribution(third)) // theirs is not
	}))
	t.Run("dataset withdrawn", s.parallel(func(t *testing.T) {
		c, data := s.onOwnData(t)
		c.approvedByAll().aligned()
		data.withdrawn()
		s.want(t, exchange.Conflict, owner, exchange.OpJobContribute, "", c.contribution(provider))
	}))
	t.Run("attested and certified", s.parallel(func(t *testing.T) {
		c, data := s.onOwnData(t, func(terms *exchange.Terms) { terms.Attestations, terms.Certified = 1, true })
		c.approvedByAll().aligned()
		s.want(t, exchange.Conflict, owner, exchange.OpJobContribute, "", c.contribution(provider))
		data.attested(third, exchange.Good)
		s.want(t, exchange.Conflict, owner, exchange.OpJobContribute, "", c.contribution(provider))
		data.certified()
		s.want(t, exchange.OK, owner, exchange.OpJobContribute, "", c.contribution(provider))
	}))
}

// testMasks masks before and after the keys are fixed.
func (s *suite) testMasks(t *testing.T) {
	t.Run("masked last", s.parallel(func(t *testing.T) {
		c := s.stage(t).approved()
		for _, d := range providers {
			s.want(t, exchange.OK, workerOf(d), exchange.OpJobAlign, "", &exchange.AlignJob{Job: c.job})
		}
		s.want(t, exchange.Conflict, owner, exchange.OpJobContribute, "", c.contribution(provider)) // nothing to make a mask of
		if j := c.record(); j.State != exchange.JobApproved {
			t.Errorf("the job is %s without a mask", j.State)
		}
		s.want(t, exchange.OK, asker, exchange.OpJobMask, "", c.masking())
		if j := c.record(); j.State != exchange.JobAligned {
			t.Errorf("the job is %s", j.State)
		}
		s.want(t, exchange.OK, owner, exchange.OpJobContribute, "", c.contribution(provider))
		s.want(t, exchange.Exists, asker, exchange.OpJobMask, "", c.masking())
		s.want(t, exchange.Conflict, asker, exchange.OpJobMask, "", &exchange.MaskJob{Job: c.job, Ciphertexts: []string{c.computing.inputs[provider]}})
	}))
	t.Run("masked first", s.parallel(func(t *testing.T) {
		c := s.stage(t).proposed()
		s.want(t, exchange.OK, asker, exchange.OpJobMask, "", c.masking())
		s.want(t, exchange.Exists, asker, exchange.OpJobMask, "", c.masking())
		s.want(t, exchange.Conflict, asker, exchange.OpJobMask, "", &exchange.MaskJob{Job: c.job, Ciphertexts: []string{c.computing.other}})
		c.approvedByAll()
		for _, d := range providers {
			s.want(t, exchange.OK, workerOf(d), exchange.OpJobAlign, "", &exchange.AlignJob{Job: c.job})
		}
		s.want(t, exchange.OK, owner, exchange.OpJobContribute, "", c.contribution(provider))
		if out := s.want(t, exchange.OK, witness, exchange.OpJobContribute, "", c.contribution(third)); c.record().State != exchange.JobContributed {
			t.Errorf("the job is %s after %+v", c.record().State, out)
		}
	}))
}

// testInputs contributes other inputs than the department's own, and other
// numbers of ciphertexts.
func (s *suite) testInputs(t *testing.T) {
	c := s.stage(t).aligned()
	good := c.contribution(provider).Inputs[0]
	for name, inputs := range map[string][]exchange.Encrypted{
		"none":                  {},
		"another department's":  {{Input: 1, Ciphertexts: good.Ciphertexts}},
		"another's besides":     {good, {Input: 1, Ciphertexts: good.Ciphertexts}},
		"twice":                 {good, good},
		"of no input":           {{Input: 2, Ciphertexts: good.Ciphertexts}},
		"of a negative input":   {{Input: -1, Ciphertexts: good.Ciphertexts}},
		"without ciphertexts":   {{Input: 0}},
		"one ciphertext beyond": {{Input: 0, Ciphertexts: append(good.Ciphertexts, good.Ciphertexts...)}},
	} {
		body := &exchange.Contribute{Job: c.job, Inputs: inputs}
		if _, err := s.do(t, owner, exchange.OpJobContribute, "", body); codeOf(exchange.Outcome{}, err) != exchange.Invalid {
			t.Errorf("%s: %v, want %s", name, err, exchange.Invalid)
		}
	}
	if j := c.record(); j.Parties[0].ContributedTx != "" || j.State != exchange.JobAligned {
		t.Errorf("the job is %+v", j)
	}
	s.want(t, exchange.OK, owner, exchange.OpJobContribute, "", c.contribution(provider))
	s.want(t, exchange.Exists, owner, exchange.OpJobContribute, "", c.contribution(provider))
	other := &exchange.Contribute{Job: c.job, Inputs: []exchange.Encrypted{{Input: 0, Ciphertexts: []string{c.computing.other}}}}
	s.want(t, exchange.Conflict, owner, exchange.OpJobContribute, "", other)
}

// testRequesterFirst has the requester provide data of its own: nobody else
// contributes before it does.
func (s *suite) testRequesterFirst(t *testing.T) {
	c := s.stage(t).proposed(func(p *exchange.Plan) {
		p.Inputs = append(p.Inputs, exchange.Input{Dataset: s.computing.dataset[requester], Key: "state", Value: "rate", Weight: 1})
	})
	c.approvedByAll()
	c.must(t, s.actorOf(requester, exchange.Officer), exchange.OpJobApprove, "", c.approval())
	c.must(t, asker, exchange.OpJobAlign, "", &exchange.AlignJob{Job: c.job})
	c.aligned()
	s.want(t, exchange.Conflict, owner, exchange.OpJobContribute, "", c.contribution(provider))
	own := &exchange.Contribute{Job: c.job, Inputs: []exchange.Encrypted{{Input: 2, Ciphertexts: []string{c.computing.other}}}}
	s.want(t, exchange.OK, asker, exchange.OpJobContribute, "", own)
	s.want(t, exchange.OK, owner, exchange.OpJobContribute, "", c.contribution(provider))
	s.want(t, exchange.OK, witness, exchange.OpJobContribute, "", c.contribution(third))
	s.want(t, exchange.OK, asker, exchange.OpJobEvaluate, "", &exchange.EvaluateJob{Job: c.job})
}

// approvedByAll has both providers approve the job that is there.
func (c *stage) approvedByAll() *stage {
	c.t.Helper()
	for _, d := range providers {
		c.must(c.t, officerOf(d), exchange.OpJobApprove, "", c.approval())
	}
	return c
}

// revokedInput has a provider revoke what it gave by its approval.
func (c *stage) revokedInput(department string) *stage {
	c.t.Helper()
	j := c.record()
	p, _ := j.Party(department)
	c.must(c.t, officerOf(department), exchange.OpGrantRevoke, "", &exchange.RevokeGrant{Grant: p.Grants[0], Reason: "second thoughts"})
	return c
}

// testCiphertexts contributes and masks with what is no ciphertext under the
// keyring's key.
func (s *suite) testCiphertexts(t *testing.T) {
	c, unmasked := s.stage(t).aligned(), s.stage(t).proposed()
	pk := c.computing.key.Public()
	n := pk.N()
	square := new(big.Int).Mul(n, n)
	exported := c.computing.key.Export()
	p := new(big.Int).SetBytes(exported[5 : 5+pk.Bits()/16])
	if new(big.Int).Mod(n, p).Sign() != 0 {
		t.Fatal("the private key does not begin with its first factor")
	}
	one := big.NewInt(1)
	good := c.computing.inputs[provider]
	cut := func(text string) string { return text[:len(text)-8] }
	for name, text := range map[string]string{
		"0":                   s.ciphertext(t, new(big.Int)),
		"1":                   s.ciphertext(t, one),
		"1 modulo n":          s.ciphertext(t, new(big.Int).Add(n, one)),
		"n²":                  s.ciphertext(t, square),
		"above n²":            s.ciphertext(t, new(big.Int).Add(square, big.NewInt(12345))),
		"not coprime":         s.ciphertext(t, p),
		"n":                   s.ciphertext(t, n),
		"under another key":   encrypted(t, c.computing.foreign, one),
		"no text form":        "ciphertext",
		"cut off":             cut(good),
		"cut off, other form": "paillier-ciphertext-1.AAAA",
		"a public key":        publicText(t, c.computing.key),
	} {
		contribution := &exchange.Contribute{Job: c.job, Inputs: []exchange.Encrypted{{Input: 0, Ciphertexts: []string{text}}}}
		if _, err := s.do(t, owner, exchange.OpJobContribute, "", contribution); codeOf(exchange.Outcome{}, err) != exchange.Invalid {
			t.Errorf("contributed %s: %v, want %s", name, err, exchange.Invalid)
		}
		if _, err := s.do(t, asker, exchange.OpJobMask, "", &exchange.MaskJob{Job: unmasked.job, Ciphertexts: []string{text}}); codeOf(exchange.Outcome{}, err) != exchange.Invalid {
			t.Errorf("masked with %s: %v, want %s", name, err, exchange.Invalid)
		}
	}
	s.want(t, exchange.Invalid, asker, exchange.OpJobMask, "", &exchange.MaskJob{Job: unmasked.job, Ciphertexts: []string{good, good}})
	s.want(t, exchange.Invalid, asker, exchange.OpJobMask, "", &exchange.MaskJob{Job: unmasked.job})
}

// ciphertext is the text form of any number under the keyring's key, as
// paillier's encoding describes it.
func (s *suite) ciphertext(t *testing.T, v *big.Int) string {
	t.Helper()
	var c paillier.Ciphertext
	if err := c.UnmarshalText([]byte(s.computing.other)); err != nil {
		t.Fatal(err)
	}
	raw, err := c.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	const header = 5
	v.FillBytes(raw[header : len(raw)-paillier.FingerprintSize])
	return "paillier-ciphertext-1." + base64.RawURLEncoding.EncodeToString(raw)
}
