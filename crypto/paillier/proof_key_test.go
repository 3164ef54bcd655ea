package paillier

import (
	"context"
	"errors"
	"math/big"
	"testing"
)

// setupOf returns a set-up by the test key of that name, made by department 9.
func setupOf(t testing.TB, name string) *Setup {
	t.Helper()
	u, err := NewSetup(safeKey(t, name), seeded("set-up"), testContext(9))
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestModulusProof(t *testing.T) {
	ctx := context.Background()
	at := testContext(1)
	for _, sk := range []*PrivateKey{testKey(t, 2048), safeKey(t, "2048-a")} {
		p, err := sk.ProveModulus(nil, at)
		if err != nil {
			t.Fatal(err)
		}
		if err := sk.Public().VerifyModulus(ctx, at, p); err != nil {
			t.Fatal(err)
		}
	}
}

func TestModulusProofRefused(t *testing.T) {
	ctx := context.Background()
	at := testContext(1)
	sk := safeKey(t, "2048-a")
	pk := sk.Public()
	good, err := sk.ProveModulus(nil, at)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := at
	elsewhere.Epoch++
	if err := pk.VerifyModulus(ctx, elsewhere, good); !errors.Is(err, ErrProof) {
		t.Errorf("another epoch: %v", err)
	}
	if err := safeKey(t, "2048-b").Public().VerifyModulus(ctx, at, good); !errors.Is(err, ErrKeyMismatch) {
		t.Errorf("another key: %v", err)
	}
	as := *good
	other := safeKey(t, "2048-b").Public()
	as.fp = other.fp
	if err := other.VerifyModulus(ctx, at, &as); !errors.Is(err, ErrProof) {
		t.Errorf("another key, its fingerprint: %v", err)
	}
	square := new(big.Int).Mul(good.w, good.w)
	square.Mod(square, pk.n)
	for name, change := range map[string]func(p *ModulusProof){
		"empty":        func(p *ModulusProof) { *p = ModulusProof{fp: pk.fp} },
		"no rounds":    func(p *ModulusProof) { p.x, p.z, p.sign = nil, nil, nil },
		"round less":   func(p *ModulusProof) { p.x, p.z, p.sign = p.x[1:], p.z[1:], p.sign[1:] },
		"w a square":   func(p *ModulusProof) { p.w = square },
		"w is 0":       func(p *ModulusProof) { p.w = new(big.Int) },
		"x is 0":       func(p *ModulusProof) { p.x[5] = new(big.Int) },
		"z is p":       func(p *ModulusProof) { p.z[127] = sk.p },
		"z turned":     func(p *ModulusProof) { p.z[3], p.z[4] = p.z[4], p.z[3] },
		"x turned":     func(p *ModulusProof) { p.x[3], p.x[4] = p.x[4], p.x[3] },
		"sign is 4":    func(p *ModulusProof) { p.sign[0] += 4 },
		"sign changed": func(p *ModulusProof) { p.sign[77] ^= 1 },
		"-z":           func(p *ModulusProof) { p.z[9] = new(big.Int).Sub(pk.n, p.z[9]) },
		"z + n":        func(p *ModulusProof) { p.z[9] = new(big.Int).Add(pk.n, p.z[9]) },
	} {
		p := *good
		p.x, p.z = append([]*big.Int(nil), good.x...), append([]*big.Int(nil), good.z...)
		p.sign = append([]byte(nil), good.sign...)
		change(&p)
		if err := pk.VerifyModulus(ctx, at, &p); !errors.Is(err, ErrProof) {
			t.Errorf("%s: %v", name, err)
		}
	}
	standard, err := NewPrivateKey(sk.p, primeOneMod4(t), FormStandard)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := standard.ProveModulus(nil, at); !errors.Is(err, ErrWitness) {
		t.Errorf("a prime that is 1 mod 4: %v", err)
	}
}

func primeOneMod4(t testing.TB) *big.Int {
	p := prime(t, 1024, 14)
	for p.Add(p, big.NewInt(2)); !p.ProbablyPrime(0); {
		p.Add(p, big.NewInt(4))
	}
	return p
}

// rival knows all factors of a modulus that is not well formed, and answers as
// many rounds as can be answered.
type rival struct {
	n       *big.Int
	factors []*big.Int // primes, ascending; a repeated one is a power's
}

// group returns the factors' moduli (prime powers) and φ of each.
func (r rival) group() (moduli, orders []*big.Int) {
	for _, p := range r.factors {
		if k := len(moduli) - 1; k >= 0 && new(big.Int).Mod(moduli[k], p).Sign() == 0 {
			moduli[k] = new(big.Int).Mul(moduli[k], p)
			orders[k] = new(big.Int).Mul(orders[k], p)
			continue
		}
		moduli = append(moduli, new(big.Int).Set(p))
		orders = append(orders, new(big.Int).Sub(p, one))
	}
	return moduli, orders
}

// root returns an e-th root of v modulo n, or nil if v has none. e is 4, or such
// that it shares no factor but whole ones with the orders.
func (r rival) root(v, e *big.Int) *big.Int {
	moduli, orders := r.group()
	x, m := new(big.Int), big.NewInt(1)
	for i, mod := range moduli {
		y := rootModulo(new(big.Int).Mod(v, mod), e, mod, orders[i])
		if y == nil {
			return nil
		}
		// x + m·((y - x)/m modulo mod)
		d := new(big.Int).Sub(y, x)
		d.Mul(d, new(big.Int).ModInverse(m, mod)).Mod(d, mod)
		x.Add(x, d.Mul(d, m))
		m.Mul(m, mod)
	}
	return x
}

// rootModulo takes the e-th root in a cyclic group, if there is one, by inverting
// the part of e that is coprime to the order and square roots for the rest.
func rootModulo(v, e, mod, order *big.Int) *big.Int {
	rest, odd := new(big.Int).Set(e), new(big.Int).Set(order)
	for {
		g := new(big.Int).GCD(nil, nil, rest, odd)
		if g.Cmp(one) == 0 {
			break
		}
		odd.Div(odd, g)
	}
	// odd is the part of the order coprime to e: within it e has an inverse.
	inverse := new(big.Int).ModInverse(new(big.Int).Mod(e, odd), odd)
	if inverse == nil {
		return nil
	}
	cofactor := new(big.Int).Div(order, odd)
	k := new(big.Int).Mul(cofactor, new(big.Int).ModInverse(cofactor, odd))
	x := new(big.Int).Exp(v, new(big.Int).Mul(k, inverse), mod)
	if new(big.Int).Exp(x, e, mod).Cmp(v) != 0 {
		return nil
	}
	return x
}

// forge makes the best proof it can and says how many rounds it could not answer.
func (r rival) forge(pk *PublicKey, at Context) (p *ModulusProof, missed int) {
	p = &ModulusProof{fp: pk.fp, bits: pk.Bits(), w: big.NewInt(2)}
	for big.Jacobi(p.w, pk.n) != -1 && p.w.BitLen() < 12 { // a square has none
		p.w.Add(p.w, one)
	}
	const enough = 5 // rounds missed: the rest is not worth the time
	for _, y := range pk.modulusChallenges(at, p.w) {
		x, z := (*big.Int)(nil), (*big.Int)(nil)
		if missed < enough {
			z = r.root(y, pk.n)
		}
		sign := byte(0)
		for ; sign < 4 && x == nil && missed < enough; sign++ {
			x = r.root(pk.signed(y, p.w, sign), big.NewInt(4))
		}
		if sign = max(sign, 1) - 1; x == nil || z == nil {
			missed++
		}
		if x == nil {
			x = big.NewInt(1)
		}
		if z == nil {
			z = big.NewInt(1)
		}
		p.x, p.z, p.sign = append(p.x, x), append(p.z, z), append(p.sign, sign)
	}
	return p, missed
}

func product(factors []*big.Int) *big.Int {
	n := big.NewInt(1)
	for _, f := range factors {
		n.Mul(n, f)
	}
	return n
}

// primesOf returns count primes that are 3 mod 4 and make a product of bits bits,
// which is 1 mod 4 for an even count.
func primesOf(t testing.TB, bits, count int) []*big.Int {
	t.Helper()
	for seed := byte(100); ; seed++ {
		var factors []*big.Int
		for i := range count - 1 {
			factors = append(factors, prime(t, (bits/count+7)/8*8, seed+byte(3*i)))
		}
		rest := new(big.Int).Lsh(big.NewInt(3), uint(bits-2))
		rest.Div(rest, product(factors))
		for rest.SetBit(rest, 0, 1).SetBit(rest, 1, 1); !rest.ProbablyPrime(0); {
			rest.Add(rest, big.NewInt(4))
		}
		if factors = append(factors, rest); product(factors).BitLen() == bits {
			return factors
		}
	}
}

// Moduli that are not what they should be (NewPublicKey refuses primes, squares and
// even ones besides: TestModulusRefused), each with a prover who knows all their
// factors and answers what can be answered. The first line shows that the rival
// does answer a good modulus.
func TestBadModuliAreNotProved(t *testing.T) {
	ctx := context.Background()
	at := testContext(1)
	sk := safeKey(t, "2048-a")
	p := prime(t, 960, 33)
	// q = 1 mod p: gcd(n, φ(n)) = p.
	q := new(big.Int).Lsh(big.NewInt(3), 2046)
	q.Div(q, p).Div(q, p)
	var common *big.Int
	for k := q.SetBit(q, 0, 0); ; k.Add(k, big.NewInt(2)) {
		common = new(big.Int).Mul(k, p)
		if common.Add(common, one); common.Bit(1) == 1 && common.ProbablyPrime(0) {
			break
		}
	}
	var smooth []*big.Int
	for f := big.NewInt(1<<17 + 3); product(smooth).BitLen() < 2048-40; f.Add(f, big.NewInt(4)) {
		if f.ProbablyPrime(0) {
			smooth = append(smooth, new(big.Int).Set(f))
		}
	}
	last := new(big.Int).Div(new(big.Int).Lsh(big.NewInt(3), 2046), product(smooth))
	for last.SetBit(last, 0, 1); !last.ProbablyPrime(0); {
		last.Add(last, big.NewInt(2))
	}
	smooth = append(smooth, last)
	for name, k := range map[string]struct {
		factors []*big.Int
		proves  bool
	}{
		"two primes":           {[]*big.Int{sk.p, sk.q}, true},
		"three primes":         {primesOf(t, 2048, 3), false},
		"sixteen primes":       {primesOf(t, 2048, 16), false},
		"smooth":               {smooth, false},
		"gcd with phi":         {[]*big.Int{p, common}, false},
		"1 mod 4":              {[]*big.Int{sk.p, primeOneMod4(t)}, false},
		"a prime and a square": squareTimes(t),
		"a square":             {[]*big.Int{sk.p, sk.p}, false},
	} {
		t.Run(name, func(t *testing.T) {
			n := product(k.factors)
			if n.BitLen() != 2048 || n.Bit(0) == 0 {
				t.Fatalf("the test's modulus has %d bits", n.BitLen())
			}
			pk := newPublicKey(n, FormStandard)
			proof, missed := rival{n, k.factors}.forge(pk, at)
			err := pk.VerifyModulus(ctx, at, proof)
			if k.proves != (err == nil) || k.proves != (missed == 0) || err != nil && !errors.Is(err, ErrProof) {
				t.Fatalf("%d rounds missed, %v", missed, err)
			}
		})
	}
}

func squareTimes(t testing.TB) (k struct {
	factors []*big.Int
	proves  bool
}) {
	p := prime(t, 680, 61)
	q := new(big.Int).Lsh(big.NewInt(3), 2046)
	q.Div(q, p).Div(q, p).SetBit(q, 0, 1).SetBit(q, 1, 1)
	for !q.ProbablyPrime(0) {
		q.Add(q, big.NewInt(4))
	}
	k.factors = []*big.Int{p, p, q}
	return k
}

func smallTimes(t testing.TB) []*big.Int {
	p := prime(t, 64, 71)
	q := new(big.Int).Lsh(big.NewInt(3), 2046)
	q.Div(q, p).SetBit(q, 0, 1).SetBit(q, 1, 1)
	for !q.ProbablyPrime(0) {
		q.Add(q, big.NewInt(4))
	}
	return []*big.Int{p, q}
}

func TestFactorProof(t *testing.T) {
	ctx := context.Background()
	at := testContext(1)
	u := setupOf(t, "2048-b")
	if err := u.Verify(ctx, testContext(9)); err != nil {
		t.Fatal(err)
	}
	sk := safeKey(t, "2048-a")
	pk := sk.Public()
	good, err := sk.ProveFactors(ctx, nil, at, u)
	if err != nil {
		t.Fatal(err)
	}
	if err := pk.VerifyFactors(ctx, at, u, good); err != nil {
		t.Fatal(err)
	}
	elsewhere := at
	elsewhere.Channel = "another"
	if err := pk.VerifyFactors(ctx, elsewhere, u, good); !errors.Is(err, ErrProof) {
		t.Errorf("another channel: %v", err)
	}
	if err := pk.VerifyFactors(ctx, at, setupOf(t, "2048-a"), good); !errors.Is(err, ErrKeyMismatch) {
		t.Errorf("another set-up: %v", err)
	}
	for name, change := range map[string]func(p *FactorProof){
		"empty":       func(p *FactorProof) { *p = FactorProof{} },
		"z1 too long": func(p *FactorProof) { p.z1 = new(big.Int).Lsh(one, uint(p.widths.primeAnswer+1)) },
		"z1 negative": func(p *FactorProof) { p.z1 = big.NewInt(-1) },
		"z1 + 1":      func(p *FactorProof) { p.z1 = new(big.Int).Add(p.z1, one) },
		"w2 + 1":      func(p *FactorProof) { p.w2 = new(big.Int).Add(p.w2, one) },
		"sigma + 1":   func(p *FactorProof) { p.sigma = new(big.Int).Add(p.sigma, one) },
		"v + 1":       func(p *FactorProof) { p.product = new(big.Int).Add(p.product, one) },
		"P, Q turned": func(p *FactorProof) { p.p, p.q = p.q, p.p },
		"P is 0":      func(p *FactorProof) { p.p = new(big.Int) },
		"Q is N":      func(p *FactorProof) { p.q = u.pk.n },
	} {
		p := *good
		change(&p)
		if err := pk.VerifyFactors(ctx, at, u, &p); !errors.Is(err, ErrProof) && name != "empty" || err == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A key of a short prime and a long one is well formed, but the honest steps of a
// FactorProof end out of range.
func TestShortPrimeIsNotProved(t *testing.T) {
	ctx := context.Background()
	at := testContext(1)
	u := setupOf(t, "2048-b")
	small := smallTimes(t)
	short := newPrivateKey(small[0], small[1], FormStandard)
	if m, err := short.ProveModulus(nil, at); err != nil || short.Public().VerifyModulus(ctx, at, m) != nil {
		t.Errorf("two primes of unequal lengths are well formed: %v", err)
	}
	p, err := short.ProveFactors(ctx, nil, at, u)
	if err != nil {
		t.Fatal(err)
	}
	if err := short.Public().VerifyFactors(ctx, at, u, p); !errors.Is(err, ErrProof) {
		t.Errorf("a prime of 64 bits: %v", err)
	}
}

// Whoever knows the factors of a set-up could prove anything: so its proof must not
// be the prover's own. A set-up whose s is no power of t is refused.
func TestSetupRefused(t *testing.T) {
	ctx := context.Background()
	at := testContext(1)
	u := setupOf(t, "2048-b")
	for name, change := range map[string]func(u *Setup){
		"another s":  func(u *Setup) { u.s = new(big.Int).Sub(u.pk.n, u.s) },
		"s is 0":     func(u *Setup) { u.s = new(big.Int) },
		"t is N":     func(u *Setup) { u.t = u.pk.n },
		"a bit":      func(u *Setup) { u.e = append([]byte{u.e[0] ^ 1}, u.e[1:]...) },
		"fewer":      func(u *Setup) { u.z = u.z[1:] },
		"a response": func(u *Setup) { u.z = append([]*big.Int{new(big.Int).Add(u.z[0], one)}, u.z[1:]...) },
	} {
		v := &Setup{pk: u.pk, s: u.s, t: u.t, e: u.e, z: u.z}
		change(v)
		if err := v.Verify(ctx, testContext(9)); !errors.Is(err, ErrSetup) {
			t.Errorf("set-up, %s: %v", name, err)
		}
	}
	if err := u.Verify(ctx, testContext(8)); !errors.Is(err, ErrSetup) {
		t.Errorf("set-up of another department: %v", err)
	}
	if _, err := NewSetup(testKey(t, 2048), nil, at); !errors.Is(err, ErrThreshold) {
		t.Errorf("set-up of primes that are not safe: %v", err)
	}
}
