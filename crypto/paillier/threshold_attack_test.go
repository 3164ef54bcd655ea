package paillier

import (
	"context"
	"errors"
	"math/big"
	"testing"
)

// A forged share is refused, whatever its forger brings along: here his own
// threshold key over the same modulus, with values of his own, under which the
// proof holds.
func TestForgedShareWithItsOwnValues(t *testing.T) {
	ctx := context.Background()
	d := deal(t, "2048-a", 2, 3)
	_, c := d.encrypted(t, 2)
	forged := newKeyShare(d.vk, 1, big.NewInt(12345))
	value, err := forged.verificationValue(ctx)
	if err != nil {
		t.Fatal(err)
	}
	his := newVerificationKey(d.vk.pk, 2, []*big.Int{value, d.vk.values[1], d.vk.values[2]})
	at := testContext(1)
	prove := func(vk *VerificationKey) (*DecryptionShare, *ShareProof) {
		ks := newKeyShare(vk, 1, big.NewInt(12345))
		s, err := ks.DecryptShare(ctx, c)
		if err != nil {
			t.Fatal(err)
		}
		p, err := ks.Prove(ctx, nil, at, c, s)
		if err != nil {
			t.Fatal(err)
		}
		return s, p
	}
	s, p := prove(his)
	if err := his.Verify(ctx, at, c, s, p); err != nil {
		t.Fatalf("the forger's own check fails, so that this test shows nothing: %v", err)
	}
	if err := d.vk.Verify(ctx, at, c, s, p); !errors.Is(err, ErrKeyMismatch) {
		t.Errorf("under his fingerprint: %v", err)
	}
	s.fp, p.fp = d.vk.Fingerprint(), d.vk.Fingerprint()
	if err := d.vk.Verify(ctx, at, c, s, p); !errors.Is(err, ErrProof) {
		t.Errorf("under ours: %v", err)
	}
	s, p = prove(d.vk)
	if err := d.vk.Verify(ctx, at, c, s, p); !errors.Is(err, ErrProof) {
		t.Errorf("a proof of a wrong share: %v", err)
	}
	if err := d.vk.Combine(ctx, bigs(2), []*DecryptionShare{s, d.share(t, 2, c)}); !errors.Is(err, ErrShares) {
		t.Errorf("combined unverified: %v", err)
	}
}

// One wrong number in a list of many is enough, and two that make up for each
// other in the plain product are found.
func TestBatchedProofFindsOneWrongNumber(t *testing.T) {
	ctx := context.Background()
	d := deal(t, "2048-a", 2, 3)
	_, c := d.encrypted(t, 9)
	at := testContext(1)
	pk := d.vk.pk
	factor := new(big.Int).Add(d.sk.n, one)
	inverse, err := pk.inverse(factor)
	if err != nil {
		t.Fatal(err)
	}
	spoil := func(s *DecryptionShare, i int, f *big.Int) {
		s.x[i].set(pk, pk.times(s.x[i].Int(), f))
	}
	for name, change := range map[string]func(s *DecryptionShare){
		"first":   func(s *DecryptionShare) { spoil(s, 0, factor) },
		"last":    func(s *DecryptionShare) { spoil(s, 8, factor) },
		"two":     func(s *DecryptionShare) { spoil(s, 2, factor); spoil(s, 5, inverse) },
		"swapped": func(s *DecryptionShare) { s.x[3], s.x[4] = s.x[4], s.x[3] },
		"copied":  func(s *DecryptionShare) { s.x[3] = s.x[4] },
	} {
		s := d.share(t, 1, c)
		change(s)
		p, err := d.shares[0].Prove(ctx, nil, at, c, s)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.vk.Verify(ctx, at, c, s, p); !errors.Is(err, ErrProof) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// badPost is a post in party 2's stead, and what Open says of it.
type badPost struct {
	post Post
	want error
}

func badPosts(t *testing.T, d *dealt, good []Post, c []*Ciphertext) map[string]badPost {
	t.Helper()
	other := deal(t, "2048-b", 3, 5)
	_, foreign := other.encrypted(t, 2)
	under := func(i int, change func(*Context)) Post {
		elsewhere := testContext(i)
		change(&elsewhere)
		p := d.prove(t, i, elsewhere, c)
		p.Department = testContext(i).Department
		return p
	}
	index := func(i int) Post {
		p := good[2]
		s := *p.Share
		s.index = i
		p.Share = &s
		return p
	}
	short := d.prove(t, 2, testContext(2), c[:1])
	return map[string]badPost{
		"another key":        {other.prove(t, 2, testContext(2), foreign), ErrKeyMismatch},
		"another epoch":      {under(2, func(c *Context) { c.Epoch++ }), ErrProof},
		"another job":        {under(2, func(c *Context) { c.Job = "j-other" }), ErrProof},
		"another department": {under(2, func(c *Context) { c.Department = "department-3" }), ErrProof},
		"another channel":    {under(2, func(c *Context) { c.Channel = "other" }), ErrProof},
		"replayed by 3":      {Post{testContext(3).Department, good[2].Share, good[2].Proof}, ErrProof},
		"index 0":            {index(0), ErrShareIndex},
		"index 6":            {index(6), ErrShareIndex},
		"index -1":           {index(-1), ErrShareIndex},
		"another's index":    {index(4), ErrProof},
		"duplicate":          {good[1], ErrShareIndex},
		"no share":           {Post{Department: "department-2"}, ErrLength},
		"no proof":           {Post{"department-2", good[2].Share, nil}, ErrProof},
		"another's proof":    {Post{"department-2", good[2].Share, good[3].Proof}, ErrProof},
		"too short a list":   {short, ErrLength},
	}
}

// Open names every bad post and opens by the good ones.
func TestOpenNamesBadShares(t *testing.T) {
	ctx := context.Background()
	d := deal(t, "2048-a", 3, 5)
	m, c := d.encrypted(t, 2)
	good := make([]Post, 6)
	for i := 1; i <= 5; i++ {
		good[i] = d.prove(t, i, testContext(i), c)
	}
	at := testContext(0)
	for name, b := range badPosts(t, d, good, c) {
		t.Run(name, func(t *testing.T) {
			got := bigs(2)
			faults, err := d.vk.Open(ctx, got, at, c, []Post{good[1], b.post, good[3], good[5]})
			if err != nil {
				t.Fatal(err)
			}
			if len(faults) != 1 || faults[0].Post != 1 || !errors.Is(faults[0], b.want) || faults[0].Department != b.post.Department {
				t.Fatalf("faults: %v", faults)
			}
			for i := range got {
				if got[i].Cmp(m[i]) != 0 {
					t.Fatal("the good ones open wrong")
				}
			}
			faults, err = d.vk.Open(ctx, got, at, c, []Post{good[1], b.post, good[3]})
			if !errors.Is(err, ErrTooFewShares) || len(faults) != 1 {
				t.Fatalf("two good ones of three: %v, %v", faults, err)
			}
		})
	}
}

// A forger who is first does not keep the victim's own share from counting.
func TestForgerBeforeVictim(t *testing.T) {
	ctx := context.Background()
	d := deal(t, "2048-a", 2, 3)
	_, c := d.encrypted(t, 1)
	victim, other := d.prove(t, 2, testContext(2), c), d.prove(t, 1, testContext(1), c)
	forged := victim
	forged.Department = "department-4"
	faults, err := d.vk.Open(ctx, bigs(1), testContext(0), c, []Post{forged, other, victim})
	if err != nil || len(faults) != 1 || faults[0].Post != 0 {
		t.Fatal(faults, err)
	}
	if _, err := d.vk.Open(ctx, bigs(1), testContext(0), c, nil); !errors.Is(err, ErrTooFewShares) {
		t.Errorf("no posts: %v", err)
	}
}

func TestCombineRefused(t *testing.T) {
	ctx := context.Background()
	d := deal(t, "2048-a", 3, 5)
	other := deal(t, "2048-b", 3, 5)
	_, c := d.encrypted(t, 2)
	_, foreign := other.encrypted(t, 2)
	s := make([]*DecryptionShare, 6)
	for i := 1; i <= 5; i++ {
		s[i] = d.share(t, i, c)
	}
	stray := *s[3]
	stray.index = 4
	nought := *s[3]
	nought.x = []*Ciphertext{new(Ciphertext), s[3].x[1]}
	nought.x[0].set(d.vk.pk, d.sk.p)
	nought.x[0].unmark()
	for name, k := range map[string]struct {
		shares []*DecryptionShare
		dst    []*big.Int
		want   error
	}{
		"two of three":     {s[1:3], bigs(2), ErrTooFewShares},
		"twice the same":   {[]*DecryptionShare{s[1], s[2], s[1]}, bigs(2), ErrShareIndex},
		"wrong index":      {[]*DecryptionShare{s[1], s[2], &stray}, bigs(2), ErrShares},
		"another key":      {[]*DecryptionShare{s[1], s[2], other.share(t, 3, foreign)}, bigs(2), ErrKeyMismatch},
		"other list":       {[]*DecryptionShare{s[1], s[2], d.share(t, 3, c[:1])}, bigs(2), ErrLength},
		"other order":      {[]*DecryptionShare{s[1], s[2], d.share(t, 3, []*Ciphertext{c[1], c[0]})}, bigs(2), ErrShares},
		"nil share":        {[]*DecryptionShare{s[1], s[2], nil}, bigs(2), ErrLength},
		"nil destination":  {s[1:4], []*big.Int{nil, new(big.Int)}, ErrLength},
		"no destinations":  {s[1:4], nil, ErrLength},
		"factor in common": {[]*DecryptionShare{s[1], s[2], &nought}, bigs(2), ErrCiphertextFactor},
	} {
		if err := d.vk.Combine(ctx, k.dst, k.shares); !errors.Is(err, k.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Ciphertexts that nobody should decrypt get no share and no opening.
func TestShareOfBadCiphertext(t *testing.T) {
	ctx := context.Background()
	d := deal(t, "2048-a", 2, 3)
	pk := d.vk.pk
	_, c := d.encrypted(t, 1)
	raw := func(v *big.Int) *Ciphertext {
		x := new(Ciphertext)
		x.set(pk, v)
		x.unmark()
		return x
	}
	bare := new(big.Int).Mul(big.NewInt(77), d.sk.n)
	bare.Add(bare, one)
	stranger, err := safeKey(t, "2048-b").Encrypt(nil, one)
	if err != nil {
		t.Fatal(err)
	}
	for name, k := range map[string]struct {
		c    *Ciphertext
		want error
	}{
		"empty":               {new(Ciphertext), ErrCiphertextRange},
		"nil":                 {nil, ErrCiphertextRange},
		"zero":                {raw(new(big.Int)), ErrCiphertextRange},
		"one":                 {raw(one), ErrCiphertextBare},
		"unrandomised":        {raw(bare), ErrCiphertextBare},
		"randomised by -1":    {raw(new(big.Int).Sub(d.sk.nn, bare)), ErrCiphertextBare},
		"n squared":           {raw(d.sk.nn), ErrCiphertextRange},
		"a multiple of p":     {raw(d.sk.p), ErrCiphertextFactor},
		"n":                   {raw(d.sk.n), ErrCiphertextFactor},
		"under another key":   {stranger, ErrKeyMismatch},
		"after a good one, n": {raw(d.sk.n), ErrCiphertextFactor},
	} {
		if _, err := d.shares[0].DecryptShare(ctx, []*Ciphertext{c[0], k.c}); !errors.Is(err, k.want) {
			t.Errorf("%s: %v", name, err)
		}
		if name == "randomised by -1" {
			continue // in range and coprime; no honest party has a share of it
		}
		if _, err := d.vk.Open(ctx, bigs(1), testContext(0), []*Ciphertext{k.c}, nil); !errors.Is(err, k.want) {
			t.Errorf("open %s: %v", name, err)
		}
	}
	if _, err := d.shares[0].DecryptShare(ctx, nil); !errors.Is(err, ErrLength) {
		t.Errorf("an empty list: %v", err)
	}
	s := d.share(t, 1, c)
	if _, err := d.shares[1].Prove(ctx, nil, testContext(2), c, s); !errors.Is(err, ErrWitness) {
		t.Errorf("a proof of another's share: %v", err)
	}
}

// recoverShare is the attack on a mask that is too short: z/(e·Δ) is s_i but for
// mask/(e·Δ).
func recoverShare(vk *VerificationKey, p *ShareProof) *big.Int {
	s := new(big.Int).Mul(p.e, vk.factorial)
	return s.Div(p.z, s)
}

// A mask no longer than the challenge gives the key share away by one proof, and
// the threshold's number of such proofs the key. One of twice that length leaves
// 2^256 candidates of 2^4094. From ours the attack gets nothing: whatever the
// share were, the response could be what it is.
func TestShortMask(t *testing.T) {
	ctx := context.Background()
	d := deal(t, "2048-a", 2, 3)
	m, c := d.encrypted(t, 1)
	at := testContext(1)
	planted := func(i, maskBits int) *ShareProof {
		s := d.share(t, i, c)
		q, err := d.vk.newClaim(ctx, at, c, s)
		if err != nil {
			t.Fatal(err)
		}
		p, err := d.shares[i-1].prove(ctx, nil, q, maskBits)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.vk.Verify(ctx, at, c, s, p); err != nil {
			t.Fatalf("the planted proof does not hold: %v", err)
		}
		return p
	}
	var stolen []*DecryptionShare
	for i := 1; i <= 2; i++ {
		s := recoverShare(d.vk, planted(i, 200))
		ks, err := NewKeyShare(ctx, d.vk, i, s)
		if err != nil {
			t.Fatalf("share %d is not recovered: %v", i, err)
		}
		x, err := ks.DecryptShare(ctx, c)
		if err != nil {
			t.Fatal(err)
		}
		stolen = append(stolen, x)
	}
	got := bigs(1)
	if err := d.vk.Combine(ctx, got, stolen); err != nil || got[0].Cmp(m[0]) != 0 {
		t.Fatal("the stolen shares do not open", err)
	}
	near := recoverShare(d.vk, planted(1, 512))
	if gap := near.Sub(near, d.shares[0].secret); gap.BitLen() > 512-256+8 {
		t.Errorf("a mask of 512 bits leaves %d bits of the share", gap.BitLen())
	}
	for range 10 {
		p := planted(1, d.vk.maskBits())
		if _, err := NewKeyShare(ctx, d.vk, 1, recoverShare(d.vk, p)); !errors.Is(err, ErrKeyShare) {
			t.Fatalf("the attack works on our own proof: %v", err)
		}
		// z = r + e·Δ·s with r from 0 to 2^mask: s = 0 and s = n² both explain z.
		largest := new(big.Int).Mul(d.sk.nn, d.vk.factorial)
		largest.Mul(largest, p.e)
		if p.z.Cmp(largest) < 0 || p.z.BitLen() > d.vk.maskBits() {
			t.Fatal("a response excludes some shares (odds 2^-126)")
		}
	}
	if bits := d.vk.maskBits(); bits < 2*2048+d.vk.factorial.BitLen()+256+128 {
		t.Errorf("the mask has %d bits", bits)
	}
}

// Masks are never used twice: neither for two statements nor, by the source's
// randomness, for one.
func TestMaskIsFresh(t *testing.T) {
	ctx := context.Background()
	d := deal(t, "2048-a", 2, 3)
	_, c := d.encrypted(t, 1)
	s := d.share(t, 1, c)
	mask := func(at Context, label string) *big.Int {
		p, err := d.shares[0].Prove(ctx, seeded(label), at, c, s)
		if err != nil {
			t.Fatal(err)
		}
		r := new(big.Int).Mul(d.shares[0].secret, d.vk.factorial)
		return r.Sub(p.z, r.Mul(r, p.e))
	}
	a := mask(testContext(1), "same")
	if a.Cmp(mask(testContext(1), "same")) != 0 {
		t.Error("the same randomness and statement make two masks")
	}
	if a.Cmp(mask(testContext(2), "same")) == 0 {
		t.Error("a broken source uses a mask for two statements")
	}
	if a.Cmp(mask(testContext(1), "other")) == 0 {
		t.Error("the mask does not depend on the source")
	}
	if a.BitLen() < d.vk.maskBits()-64 {
		t.Errorf("a mask of %d bits", a.BitLen())
	}
}

// No two lists of items hash to the same bytes, whatever is moved from one to the
// next.
func TestStatementIsUnambiguous(t *testing.T) {
	at := func(c Context) string { return string(newStatement("x", c).sum()) }
	list := func(items ...string) string {
		s := newStatement("x", Context{})
		for i := 0; i+1 < len(items); i += 2 {
			s.bytes(items[i], []byte(items[i+1]))
		}
		return string(s.sum())
	}
	seen := map[string]int{}
	for i, h := range []string{
		at(Context{Channel: "ab", Job: "c"}), at(Context{Channel: "a", Job: "bc"}), at(Context{Channel: "abc"}),
		at(Context{Job: "abc"}), at(Context{Department: "abc"}), at(Context{Epoch: 1}), at(Context{Epoch: 256}),
		at(Context{}), string(newStatement("x\x00", Context{}).sum()), string(newStatement("", Context{}).sum()),
		list("a", "bc"), list("ab", "c"), list("a", "b", "c", ""), list("a", "", "b", "c"), list("", "abc"),
		list("a", "b\x01c\x00\x00\x00\x00\x00\x00\x00\x00"),
	} {
		if before, ok := seen[h]; ok {
			t.Errorf("statements %d and %d hash alike", before, i)
		}
		seen[h] = i
	}
}
