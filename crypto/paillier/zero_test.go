package paillier

import (
	"context"
	"encoding"
	"errors"
	"math/big"
	"testing"
)

// Empty values and ended contexts are errors, not panics.
func TestEmptyValues(t *testing.T) {
	ctx := context.Background()
	at := testContext(1)
	d := deal(t, "2048-a", 2, 3)
	pk := d.vk.pk
	for _, v := range []interface {
		encoding.BinaryMarshaler
		encoding.TextMarshaler
	}{new(DecryptionShare), new(ShareProof), new(KnowledgeProof), new(RangeProof), new(ModulusProof), new(FactorProof)} {
		if _, err := v.MarshalBinary(); !errors.Is(err, ErrEncoding) {
			t.Errorf("%T: %v", v, err)
		}
		if _, err := v.MarshalText(); !errors.Is(err, ErrEncoding) {
			t.Errorf("%T as text: %v", v, err)
		}
	}
	_, c := d.encrypted(t, 1)
	for _, o := range []*Opening{nil, new(Opening)} {
		if _, err := pk.ProveKnowledge(ctx, nil, at, c, []*Opening{o}); !errors.Is(err, ErrWitness) {
			t.Error(err)
		}
		if _, err := pk.ProveRange(ctx, nil, at, c[0], o, 0, 1); !errors.Is(err, ErrWitness) {
			t.Error(err)
		}
	}
	if err := pk.VerifyModulus(ctx, at, nil); !errors.Is(err, ErrProof) {
		t.Error(err)
	}
	if err := d.vk.Verify(ctx, at, c, nil, nil); !errors.Is(err, ErrLength) {
		t.Error(err)
	}
	if err := d.vk.Verify(ctx, at, c, d.share(t, 1, c), new(ShareProof)); !errors.Is(err, ErrProof) {
		t.Error(err)
	}
	if err := d.vk.Verify(ctx, at, nil, d.share(t, 1, c), new(ShareProof)); !errors.Is(err, ErrLength) {
		t.Error(err)
	}
}

func TestThresholdStops(t *testing.T) {
	at := testContext(1)
	d := deal(t, "2048-a", 2, 3)
	_, c := d.encrypted(t, 2)
	posts := []Post{d.prove(t, 1, at, c), d.prove(t, 2, testContext(2), c)}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := d.shares[0].DecryptShare(ended, c); !errors.Is(err, context.Canceled) {
		t.Errorf("share: %v", err)
	}
	if _, err := d.shares[0].Prove(ended, nil, at, c, posts[0].Share); !errors.Is(err, context.Canceled) {
		t.Errorf("prove: %v", err)
	}
	faults, err := d.vk.Open(ended, bigs(2), at, c, posts)
	if !errors.Is(err, context.Canceled) || len(faults) > 0 {
		t.Errorf("open: %v, %v", faults, err)
	}
	if err := d.vk.Combine(ended, bigs(2), []*DecryptionShare{posts[0].Share, posts[1].Share}); !errors.Is(err, context.Canceled) {
		t.Errorf("combine: %v", err)
	}
	if _, _, err := d.sk.Deal(ended, nil, 2, 3); !errors.Is(err, context.Canceled) {
		t.Errorf("deal: %v", err)
	}
}

// A verification key over a modulus that NewPublicKey refuses is refused, although
// its fingerprint is right.
func TestVerificationKeyOfBadModulus(t *testing.T) {
	d := deal(t, "2048-a", 2, 3)
	p := prime(t, 1024, 1)
	small := new(big.Int).Lsh(one, 2047)
	small.Sub(small, new(big.Int).Mod(small, big.NewInt(65521))).Add(small, big.NewInt(65521))
	for small.Bit(0) == 0 {
		small.Add(small, big.NewInt(65521))
	}
	for name, k := range map[string]struct {
		n    *big.Int
		want error
	}{
		"even":           {new(big.Int).Add(d.sk.n, one), ErrModulusEven},
		"a square":       {new(big.Int).Mul(p, p), ErrModulusPower},
		"a small factor": {small, ErrModulusSmallFactor},
	} {
		vk := newVerificationKey(newPublicKey(k.n, FormStandard), 2, onesOf(3))
		b, err := vk.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseVerificationKey(b); !errors.Is(err, k.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
