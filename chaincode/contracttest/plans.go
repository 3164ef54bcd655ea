package contracttest

import (
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"chancery/chaincode/exchange"
	"chancery/crypto/paillier"
)

// testKeyrings makes keyrings of keys that are none, and of the same key.
func (s *suite) testKeyrings(t *testing.T) {
	c := s.stage(t).keyringCreated()
	k := get[exchange.Keyring](t, s, exchange.NounKeyring, provider+"/"+c.name)
	if pk := c.computing.key.Public(); k.ID != c.keyring || k.ID != exchange.KeyringID(s.net.MSP(provider), c.name) || k.Keyholder != provider ||
		k.Fingerprint != pk.Fingerprint().String() || k.Bits != pk.Bits() {
		t.Errorf("keyring: %+v", k)
	}
	good := publicText(t, c.computing.key)
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(good, "paillier-public-1."))
	if err != nil {
		t.Fatal(err)
	}
	changed := func(at int, b byte) string {
		other := append([]byte(nil), raw...)
		other[at] ^= b
		return "paillier-public-1." + base64.RawURLEncoding.EncodeToString(other)
	}
	for name, text := range map[string]string{
		"empty":             "",
		"a private key":     string(firstKey),
		"cut off":           good[:len(good)-4],
		"padded":            good + "=",
		"another version":   changed(0, 3),
		"another kind":      changed(1, 1),
		"another modulus":   changed(100, 1),
		"even":              changed(len(raw)-paillier.FingerprintSize-1, 1),
		"short":             changed(3, 8^12),
		"other fingerprint": changed(len(raw)-1, 1),
	} {
		body := &exchange.CreateKeyring{Name: s.fresh(), PublicKey: text}
		if _, err := s.do(t, decider, exchange.OpKeyringCreate, "", body); codeOf(exchange.Outcome{}, err) != exchange.Invalid {
			t.Errorf("%s: %v, want %s", name, err, exchange.Invalid)
		}
	}
	s.want(t, exchange.OK, holder(exchange.Officer), exchange.OpKeyringCreate, "", &exchange.CreateKeyring{Name: c.name, PublicKey: good}) // a name of labor's own
}

// testPlans opens jobs that cannot be, one way at a time.
func (s *suite) testPlans(t *testing.T) {
	f := s.computing
	closed := s.termed(t, func(c *exchange.Terms) { c.Actions = []exchange.Action{exchange.Read} })
	forThird := s.termed(t, func(c *exchange.Terms) { c.Requesters = []string{third} })
	forHealth := s.termed(t, func(c *exchange.Terms) { c.Purposes = []string{"health"} })
	brief := s.termed(t, func(c *exchange.Terms) { c.MaxDuration = 3600 })
	gone := s.termed(t, func(*exchange.Terms) {}).withdrawn()
	bare := s.stage(t)
	bare.terms.Actions = []exchange.Action{exchange.Compute}
	bare.registered()
	retired := s.stage(t)
	retired.keyring = s.must(t, holder(exchange.Officer), exchange.OpKeyringCreate, "", &exchange.CreateKeyring{Name: retired.name, PublicKey: publicText(t, f.foreign)}).ID
	s.must(t, holder(exchange.Officer), exchange.OpKeyringRetire, "", &exchange.RetireKeyring{Keyring: retired.keyring, Reason: "lost"})

	input := func(i int, change func(in *exchange.Input)) func(*exchange.Plan) {
		return func(p *exchange.Plan) { change(&p.Inputs[i]) }
	}
	of := func(c *stage) func(*exchange.Plan) {
		return input(0, func(in *exchange.Input) { in.Dataset, in.Object = c.dataset, "" })
	}
	heavy := func(valueBits int, w ...int64) func(*exchange.Plan) {
		return func(p *exchange.Plan) {
			p.ValueBits = valueBits
			for i := range p.Inputs {
				p.Inputs[i].Weight = w[i]
			}
		}
	}
	for _, tc := range []struct {
		name string
		code exchange.Code
		says string
		plan func(*exchange.Plan)
	}{
		{"as allowed", exchange.OK, "", func(*exchange.Plan) {}},
		{"with data of its own", exchange.OK, "", func(p *exchange.Plan) {
			p.Inputs = append(p.Inputs, exchange.Input{Dataset: f.dataset[requester], Key: "state", Value: "rate", Weight: 1})
		}},
		{"unknown keyring", exchange.NotFound, "", func(p *exchange.Plan) { p.Keyring = noID(exchange.NounKeyring) }},
		{"unknown keyring's name", exchange.NotFound, "", func(p *exchange.Plan) { p.Keyring = provider + "/" + f.name }},
		{"retired keyring", exchange.Conflict, "lost", func(p *exchange.Plan) { p.Keyring = retired.keyring }},
		{"one other department", exchange.Invalid, "1 departments besides the requester", func(p *exchange.Plan) {
			p.Inputs[1].Dataset, p.Inputs[1].Object = f.dataset[requester], ""
		}},
		{"more contributors than there are", exchange.Invalid, "3 are needed", func(p *exchange.Plan) { p.MinContributors = 3 }},
		{"a column twice", exchange.Invalid, "a second time", func(p *exchange.Plan) {
			p.Inputs = append(p.Inputs, p.Inputs[1])
			p.Inputs[2].Weight, p.Inputs[2].Shift, p.Inputs[2].Reduction = -20, -1, exchange.Sum // labor would add nothing
		}},
		{"terms without compute", exchange.Denied, "compute", of(closed)},
		{"terms for another requester", exchange.Denied, third, of(forThird)},
		{"terms for another purpose", exchange.Denied, "health", of(forHealth)},
		{"longer than the terms", exchange.Denied, "1h0m0s", of(brief)},
		{"withdrawn dataset", exchange.Conflict, "withdrawn", of(gone)},
		{"no version", exchange.NotFound, "no version", of(bare)},
		{"unknown dataset", exchange.NotFound, "", input(0, func(in *exchange.Input) { in.Dataset = noID(exchange.NounDataset) })},
		{"unknown version", exchange.NotFound, "", input(0, func(in *exchange.Input) { in.Object = noID(exchange.NounObject) })},
		{"version of another dataset", exchange.Invalid, "no version of", input(0, func(in *exchange.Input) { in.Object = f.object[third] })},
		{"value not declared", exchange.Invalid, "people (integer)", input(1, func(in *exchange.Input) { in.Value = "wages" })},
		{"key not declared", exchange.Invalid, "state (integer)", input(1, func(in *exchange.Input) { in.Key = "fips" })},
		{"value not numeric", exchange.Invalid, "string", input(1, func(in *exchange.Input) { in.Value = "name" })},
		{"overflow", exchange.Invalid, "63", heavy(62, 200, -201)},
		{"just not an overflow", exchange.OK, "", heavy(61, 1, -1)},
		{"heavy weights", exchange.Invalid, "255", heavy(32, 256, 1)},
		{"heavy weights with a divisor", exchange.OK, "", heavy(32, 255000, -1000)},
		{"weight 0", exchange.Invalid, "weight", heavy(32, 1, 0)},
		{"over", exchange.Expired, "over", func(p *exchange.Plan) { p.Deadline = s.net.Now().Add(-time.Second) }},
		{"far away", exchange.Invalid, "2160h", func(p *exchange.Plan) { p.Deadline = s.net.Now().Add((exchange.MaxJobDuration + 60) * time.Second) }},
	} {
		t.Run(tc.name, s.parallel(func(t *testing.T) {
			b := f.plan(s.net.Now())
			tc.plan(&b.Plan)
			out, err := s.do(t, asker, exchange.OpJobOpen, s.fresh(), b)
			if codeOf(out, err) != tc.code || err != nil && !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%+v (%v), want %s that says %q", out, err, tc.code, tc.says)
			}
		}))
	}
	t.Run("by its keyholder", func(t *testing.T) {
		b := f.plan(s.net.Now())
		b.Inputs = append(b.Inputs, exchange.Input{Dataset: f.dataset[requester], Key: "state", Value: "rate", Weight: 1})
		_, err := s.do(t, witness, exchange.OpJobOpen, s.fresh(), b)
		if !errors.Is(err, exchange.ErrInvalid) || !strings.Contains(err.Error(), "holds the key") {
			t.Errorf("%v, want %s", err, exchange.Invalid)
		}
	})
	t.Run("no command", func(t *testing.T) {
		s.want(t, exchange.Invalid, asker, exchange.OpJobOpen, "", f.plan(s.net.Now()))
	})
	t.Run("resolved", s.testResolved)
	t.Run("too large", s.testTooLarge)
}

// termed has a dataset of census that jobs can use, with changed terms and
// further changes.
func (s *suite) termed(t *testing.T, change func(*exchange.Terms), further ...func(*exchange.RegisterDataset)) *stage {
	t.Helper()
	c := s.stage(t)
	c.terms.Actions = []exchange.Action{exchange.Compute}
	change(&c.terms)
	b := c.table()
	for _, change := range further {
		change(b)
	}
	c.dataset = s.must(t, owner, exchange.OpDatasetRegister, "", b).ID
	return c.published()
}

// testResolved names everything by its name, and finds it by its id.
func (s *suite) testResolved(t *testing.T) {
	f := s.computing
	c := s.stage(t).proposed(func(p *exchange.Plan) {
		p.Keyring, p.MinContributors = third+"/"+f.name, 0
		for i, d := range providers {
			p.Inputs[i].Dataset, p.Inputs[i].Object, p.Inputs[i].Reduction = d+"/"+f.name, "", ""
		}
	})
	j := c.record()
	want := f.plan(s.net.Now())
	want.Deadline = j.Spec.Deadline
	if a, b := encodedPlan(t, j.Spec.Plan), encodedPlan(t, want.Plan); a != b {
		t.Errorf("the plan is resolved to %s, want %s", a, b)
	}
	if j.Spec.Fingerprint != f.key.Public().Fingerprint().String() || j.Spec.Bits != 3072 || j.Spec.Requester != requester || j.Spec.Keyholder != third {
		t.Errorf("the spec is %+v", j.Spec)
	}
	for i, d := range providers {
		o := get[exchange.Object](t, s, exchange.NounObject, f.object[d])
		if got := j.Spec.Sources[i]; got != (exchange.Source{Provider: d, Dataset: f.name, SealedDigest: o.SealedDigest}) || j.Parties[i].Department != d {
			t.Errorf("source %d is %+v, of %+v", i, got, j.Parties)
		}
	}
}

func encodedPlan(t *testing.T, p exchange.Plan) string {
	t.Helper()
	data, err := exchange.Encode(p)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// testTooLarge asks for more keys of more inputs than a contribution can hold.
func (s *suite) testTooLarge(t *testing.T) {
	bare := s.termed(t, func(*exchange.Terms) {}, func(b *exchange.RegisterDataset) { b.Columns = nil })
	plan := func(inputs int) *exchange.OpenJob {
		b := s.computing.plan(s.net.Now())
		b.ValueBits, b.Keys, b.Inputs = 50, nil, b.Inputs[1:]
		for i := range exchange.MaxKeys {
			b.Keys = append(b.Keys, strconv.Itoa(i))
		}
		for len(b.Inputs) < inputs {
			value := "v" + strconv.Itoa(len(b.Inputs))
			b.Inputs = append(b.Inputs, exchange.Input{Dataset: bare.dataset, Key: "k", Value: value, Weight: 1})
		}
		return b
	}
	s.want(t, exchange.OK, asker, exchange.OpJobOpen, s.fresh(), plan(10))
	_, err := s.do(t, asker, exchange.OpJobOpen, s.fresh(), plan(exchange.MaxInputs))
	if !errors.Is(err, exchange.ErrInvalid) || !strings.Contains(err.Error(), "fewer keys") {
		t.Errorf("%v, want %s", err, exchange.Invalid)
	}
}
