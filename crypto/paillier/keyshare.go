package paillier

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math/big"
	"math/bits"
)

// KeyShare is one party's share of a threshold key. It may be used by any number
// of goroutines at once and must not be copied. It prints as its party only, and
// marshals by Export only.
type KeyShare struct {
	vk      *VerificationKey
	index   int
	secret  *big.Int // s_i, in [0, n²)
	witness []uint64 // Δ·s_i
	power   []byte   // digits of 2·Δ·s_i: the exponent of decryption
	nonce   [sha256.Size]byte
}

// NewKeyShare makes party index's share of the number s and checks it against the
// verification value. Errors: ErrShareIndex, ErrKeyShare, the context's.
func NewKeyShare(ctx context.Context, vk *VerificationKey, index int, s *big.Int) (*KeyShare, error) {
	if err := vk.checkIndex(index); err != nil {
		return nil, err
	}
	if s == nil || s.Sign() < 0 || s.Cmp(vk.pk.nn) >= 0 {
		return nil, fmt.Errorf("%w: out of range", ErrKeyShare)
	}
	ks := newKeyShare(vk, index, s)
	return ks, ks.Check(ctx)
}

// newKeyShare makes a share without any check.
func newKeyShare(vk *VerificationKey, index int, s *big.Int) *KeyShare {
	ks := &KeyShare{vk: vk, index: index, secret: new(big.Int).Set(s)}
	delta := wordsOf(vk.factorial, (vk.factorial.BitLen()+63)/64)
	secret := wordsOf(s, 2*vk.pk.size)
	ks.witness = make([]uint64, len(secret)+len(delta)+1)
	mulAddWords(ks.witness, secret, delta)
	double := make([]uint64, len(ks.witness))
	for i, w := range ks.witness {
		double[i] = w << 1
		if i > 0 {
			double[i] |= ks.witness[i-1] >> 63
		}
	}
	ks.power = numberDigits(double, vk.witnessBits()+1)
	seed := append([]byte("paillier key share nonce v1\x00"), vk.digest[:]...)
	ks.nonce = sha256.Sum256(append(seed, s.FillBytes(make([]byte, vk.pk.Bits()/4))...))
	return ks
}

// mulAddWords adds a·b to z, all little-endian words, in a time that depends on
// their lengths alone. z has room for the sum.
func mulAddWords(z, a, b []uint64) {
	for i, x := range b {
		var carry uint64
		for j, y := range a {
			hi, lo := bits.Mul64(x, y)
			var c uint64
			lo, c = bits.Add64(lo, carry, 0)
			hi += c
			z[i+j], c = bits.Add64(z[i+j], lo, 0)
			carry = hi + c
		}
		for j := i + len(a); j < len(z); j++ {
			z[j], carry = bits.Add64(z[j], carry, 0)
		}
	}
}

// Index returns the party's index, from 1.
func (ks *KeyShare) Index() int { return ks.index }

// Verification returns the key that the share belongs to.
func (ks *KeyShare) Verification() *VerificationKey { return ks.vk }

// verificationValue returns V^(Δ·s).
func (ks *KeyShare) verificationValue(ctx context.Context) (*big.Int, error) {
	digits := numberDigits(ks.witness, ks.vk.witnessBits())
	v, err := ks.vk.pk.powersSecret(ctx, []*big.Int{ks.vk.base}, digits)
	if err != nil {
		return nil, err
	}
	return v[0], nil
}

// Check reports, with ErrKeyShare, a share that is not the one which the
// verification value stands for: what a party does with what a dealer sent.
func (ks *KeyShare) Check(ctx context.Context) error {
	v, err := ks.verificationValue(ctx)
	if err != nil {
		return err
	}
	if v.Cmp(ks.vk.values[ks.index-1]) != 0 {
		return fmt.Errorf("%w: party %d", ErrKeyShare, ks.index)
	}
	return nil
}

// String names the party without showing its share.
func (ks *KeyShare) String() string {
	return fmt.Sprintf("paillier key share %d of %s", ks.index, ks.vk.Fingerprint())
}

// GoString is String.
func (ks *KeyShare) GoString() string { return ks.String() }

// Format prints String under every verb.
func (ks *KeyShare) Format(s fmt.State, _ rune) { fmt.Fprint(s, ks.String()) }

// MarshalJSON refuses with ErrPrivate.
func (ks *KeyShare) MarshalJSON() ([]byte, error) { return nil, ErrPrivate }

// MarshalText refuses with ErrPrivate.
func (ks *KeyShare) MarshalText() ([]byte, error) { return nil, ErrPrivate }

// MarshalBinary refuses with ErrPrivate.
func (ks *KeyShare) MarshalBinary() ([]byte, error) { return nil, ErrPrivate }

// UnmarshalText refuses with ErrPrivate; see VerificationKey.ParseKeyShare.
func (ks *KeyShare) UnmarshalText([]byte) error { return ErrPrivate }

// UnmarshalBinary refuses with ErrPrivate; see VerificationKey.ParseKeyShare.
func (ks *KeyShare) UnmarshalBinary([]byte) error { return ErrPrivate }

// DecryptionShare is one party's share of the decryption of a list of ciphertexts:
// c^(2·Δ·s) modulo n² for each, in their order. It is worth nothing without a
// proof.
type DecryptionShare struct {
	fp    Fingerprint // of the verification key
	index int
	x     []*Ciphertext // numbers of the key's ring, not encryptions
}

// Index returns the party's index, from 1.
func (d *DecryptionShare) Index() int { return d.index }

// Len returns for how many ciphertexts the share is.
func (d *DecryptionShare) Len() int { return len(d.x) }

// Fingerprint names the verification key that the share claims to belong to.
func (d *DecryptionShare) Fingerprint() Fingerprint { return d.fp }

// DecryptShare returns the party's share of the decryption of c. It draws no
// randomness: the same ciphertexts give the same bytes. Whoever offers this to
// others must choose the ciphertexts itself: a share of what a stranger chose
// opens what the stranger wants. Errors: ErrLength for an empty list, Check's;
// ErrCiphertextBare also for ciphertexts whose randomness is -1.
func (ks *KeyShare) DecryptShare(ctx context.Context, c []*Ciphertext) (*DecryptionShare, error) {
	if len(c) == 0 {
		return nil, fmt.Errorf("%w: no ciphertexts", ErrLength)
	}
	pk := ks.vk.pk
	if err := pk.CheckBatch(ctx, c); err != nil {
		return nil, err
	}
	d := &DecryptionShare{fp: ks.vk.Fingerprint(), index: ks.index, x: make([]*Ciphertext, len(c))}
	for i := range d.x {
		d.x[i] = new(Ciphertext)
	}
	e := pk.engine()
	t := newTask(func(_ *task, lo, hi int) error {
		w := e.take()
		defer e.give(w)
		pk.loadWire(w, c[lo:hi])
		e.r.enter(w.x, w.wide[:e.r.size], w.s)
		e.r.powSecret(w.y, w.x, ks.power, w.table, w.s)
		e.r.leave(w.y, w.y, w.s)
		return pk.emit(w, w.y, d.x[lo:hi])
	}, pk)
	if err := t.run(ctx, len(c), e.r.path.lanes()); err != nil {
		return nil, err
	}
	return d, nil
}
