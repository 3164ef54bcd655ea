package paillier

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// artefact is one encoded thing with its parser and, if it has one, the check of
// what was parsed.
type artefact struct {
	name   string
	prefix string
	binary []byte
	text   []byte
	parse  func(b []byte) ([]byte, error) // what it encodes to again
	texts  func(b []byte) ([]byte, error)
	verify func(b []byte) error
}

// again encodes what was parsed once more.
func again[T interface{ MarshalBinary() ([]byte, error) }](v T, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	return v.MarshalBinary()
}

func againText[T interface{ MarshalText() ([]byte, error) }](v T, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	return v.MarshalText()
}

// artefacts reads the golden files.
func artefacts(t testing.TB) map[string]*artefact {
	t.Helper()
	ctx := context.Background()
	at := testContext(1)
	all := map[string]*artefact{}
	d := deal(t, "2048-a", 2, 3)
	pk := d.vk.pk
	var c []*Ciphertext
	for _, line := range strings.Fields(string(goldenFile(t, "ciphertexts"))) {
		x := new(Ciphertext)
		if err := x.UnmarshalText([]byte(line)); err != nil {
			t.Fatal(err)
		}
		c = append(c, x)
	}
	add := func(a *artefact) {
		t.Helper()
		a.text = goldenFile(t, a.name)
		b, err := fromLongText(a.prefix, a.text, 1<<20)
		if err != nil {
			t.Fatal(a.name, err)
		}
		a.binary = b
		all[a.name] = a
	}
	add(&artefact{name: "verification-key", prefix: textVerification,
		parse: func(b []byte) ([]byte, error) { return again(ParseVerificationKey(b)) },
		texts: func(b []byte) ([]byte, error) { return againText(ParseVerificationKeyText(b)) }})
	add(&artefact{name: "share-1", prefix: textShare,
		parse: func(b []byte) ([]byte, error) { return again(d.vk.ParseDecryptionShare(b)) },
		texts: func(b []byte) ([]byte, error) { return againText(d.vk.ParseDecryptionShareText(b)) }})
	share, err := d.vk.ParseDecryptionShare(all["share-1"].binary)
	if err != nil {
		t.Fatal(err)
	}
	add(&artefact{name: "share-proof-1", prefix: textShareProof,
		parse: func(b []byte) ([]byte, error) { return again(d.vk.ParseShareProof(b)) },
		texts: func(b []byte) ([]byte, error) { return againText(d.vk.ParseShareProofText(b)) },
		verify: func(b []byte) error {
			p, err := d.vk.ParseShareProof(b)
			if err != nil {
				return err
			}
			return d.vk.Verify(ctx, at, c, share, p)
		}})
	all["share-1"].verify = func(b []byte) error {
		s, err := d.vk.ParseDecryptionShare(b)
		if err != nil {
			return err
		}
		p, err := d.vk.ParseShareProof(all["share-proof-1"].binary)
		if err != nil {
			return err
		}
		return d.vk.Verify(ctx, at, c, s, p)
	}
	addProofs(t, add, pk, at, c)
	return all
}

// addProofs adds the proofs about the Paillier key.
func addProofs(t testing.TB, add func(*artefact), pk *PublicKey, at Context, c []*Ciphertext) {
	t.Helper()
	ctx := context.Background()
	add(&artefact{name: "knowledge-proof", prefix: textKnowledge,
		parse: func(b []byte) ([]byte, error) { return again(pk.ParseKnowledgeProof(b)) },
		texts: func(b []byte) ([]byte, error) { return againText(pk.ParseKnowledgeProofText(b)) },
		verify: func(b []byte) error {
			p, err := pk.ParseKnowledgeProof(b)
			if err != nil {
				return err
			}
			return pk.VerifyKnowledge(ctx, at, c[:1], []*KnowledgeProof{p})
		}})
	add(&artefact{name: "range-proof", prefix: textRange,
		parse: func(b []byte) ([]byte, error) { return again(pk.ParseRangeProof(b)) },
		texts: func(b []byte) ([]byte, error) { return againText(pk.ParseRangeProofText(b)) },
		verify: func(b []byte) error {
			p, err := pk.ParseRangeProof(b)
			if err != nil {
				return err
			}
			return pk.VerifyRange(ctx, at, c[0], goldenLow, goldenHigh, p)
		}})
	add(&artefact{name: "modulus-proof", prefix: textModulus,
		parse: func(b []byte) ([]byte, error) { return again(pk.ParseModulusProof(b)) },
		texts: func(b []byte) ([]byte, error) { return againText(pk.ParseModulusProofText(b)) },
		verify: func(b []byte) error {
			p, err := pk.ParseModulusProof(b)
			if err != nil {
				return err
			}
			return pk.VerifyModulus(ctx, at, p)
		}})
	u, err := ParseSetupText(ctx, goldenFile(t, "setup"), at)
	if err != nil {
		t.Fatal(err)
	}
	add(&artefact{name: "setup", prefix: textSetup,
		parse: func(b []byte) ([]byte, error) { return again(parseSetup(b)) },
		texts: func(b []byte) ([]byte, error) { return againText(ParseSetupText(ctx, b, at)) },
		verify: func(b []byte) error {
			_, err := ParseSetup(ctx, b, at)
			return err
		}})
	add(&artefact{name: "factor-proof", prefix: textFactor,
		parse: func(b []byte) ([]byte, error) { return again(pk.ParseFactorProof(u, b)) },
		texts: func(b []byte) ([]byte, error) { return againText(pk.ParseFactorProofText(u, b)) },
		verify: func(b []byte) error {
			p, err := pk.ParseFactorProof(u, b)
			if err != nil {
				return err
			}
			return pk.VerifyFactors(ctx, at, u, p)
		}})
}

func goldenFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "golden", name+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSuffix(b, []byte("\n"))
}

// There is one encoding of each thing, and frames that are not right are refused.
func TestThresholdEncodings(t *testing.T) {
	for name, a := range artefacts(t) {
		t.Run(name, func(t *testing.T) {
			if b, err := a.parse(a.binary); err != nil || !bytes.Equal(b, a.binary) {
				t.Fatalf("bytes: %v", err)
			}
			if b, err := a.texts(a.text); err != nil || !bytes.Equal(b, a.text) {
				t.Fatalf("text: %v", err)
			}
			n := len(a.binary)
			longer := append(append([]byte(nil), a.binary...), 0)
			inner := append([]byte(nil), a.binary[:n-FingerprintSize]...)
			inner = append(append(inner, 0), a.binary[n-FingerprintSize:]...)
			version := append([]byte{encodingVersion + 1}, a.binary[1:]...)
			kind := append([]byte{encodingVersion, 'X'}, a.binary[2:]...)
			other := append([]byte(nil), a.binary...)
			other[n-1] ^= 1
			for what, k := range map[string]struct {
				b    []byte
				want []error
			}{
				"empty":             {nil, []error{ErrEncoding}},
				"header":            {a.binary[:headerSize], []error{ErrEncoding}},
				"half":              {a.binary[:n/2], []error{ErrEncoding, ErrKeyMismatch, ErrFingerprint}},
				"a byte less":       {a.binary[1:], []error{ErrEncoding, ErrVersion}},
				"a byte more":       {longer, []error{ErrEncoding, ErrKeyMismatch, ErrFingerprint}},
				"a byte more in it": {inner, []error{ErrEncoding}},
				"version":           {version, []error{ErrVersion}},
				"kind":              {kind, []error{ErrEncoding}},
				"fingerprint":       {other, []error{ErrKeyMismatch, ErrFingerprint}},
			} {
				_, err := a.parse(k.b)
				found := false
				for _, want := range k.want {
					found = found || errors.Is(err, want)
				}
				if !found {
					t.Errorf("%s: %v", what, err)
				}
			}
			for what, text := range map[string]string{
				"no prefix": string(a.text[len(a.prefix):]), "prefix only": a.prefix, "another prefix": "x" + string(a.text),
				"padded": string(a.text) + "=", "line break": string(a.text) + "\n", "space": string(a.text) + " ",
				"upper case": strings.ToUpper(string(a.text)),
				"much":       a.prefix + strings.Repeat("A", 1<<20),
			} {
				if name == "share-1" && what == "much" {
					continue // a share may be that long
				}
				if _, err := a.texts([]byte(text)); err == nil {
					t.Errorf("text with %s is read", what)
				}
			}
		})
	}
}

// Any byte of a share's proof may be flipped: none of what is still read holds.
func TestFlippedShareProof(t *testing.T) {
	ctx := context.Background()
	d := deal(t, "2048-a", 2, 3)
	_, c := d.encrypted(t, 1)
	good := d.prove(t, 1, testContext(1), c)
	b, _ := good.Proof.MarshalBinary()
	posts := []Post{good}
	for i := range b {
		flipped := append([]byte(nil), b...)
		flipped[i] ^= 1 << (i % 8)
		if p, err := d.vk.ParseShareProof(flipped); err == nil {
			posts = append(posts, Post{good.Department, good.Share, p})
		}
	}
	if len(posts) < 32+500 {
		t.Fatalf("only %d proofs are read", len(posts))
	}
	faults, err := d.vk.verifyAll(ctx, testContext(1), c, posts)
	if err != nil || faults[0] != nil {
		t.Fatal(faults[0], err)
	}
	for i, fault := range faults[1:] {
		if !errors.Is(fault, ErrProof) {
			t.Errorf("flip %d: %v", i, fault)
		}
	}
}

// A flipped byte is found wherever it is: in the frames everywhere, in fields at
// places that are spread over all of them.
func TestFlippedBytes(t *testing.T) {
	steps := map[string]int{"share-proof-1": 29, "knowledge-proof": 11, "range-proof": 97, "factor-proof": 61,
		"modulus-proof": 6007, "setup": 4001, "share-1": 41, "verification-key": 1}
	for name, a := range artefacts(t) {
		t.Run(name, func(t *testing.T) {
			check := a.verify
			if check == nil {
				check = func(b []byte) error { _, err := a.parse(b); return err }
			}
			if err := check(a.binary); err != nil {
				t.Fatal(err)
			}
			step := steps[name]
			if testing.Short() {
				step *= 16
			}
			for i := 0; i < len(a.binary); i++ {
				if i%step != 0 && i >= headerSize+2 && i < len(a.binary)-2 {
					continue
				}
				b := append([]byte(nil), a.binary...)
				b[i] ^= 1 << (i % 8)
				if check(b) == nil {
					t.Errorf("byte %d of %d may be flipped", i, len(b))
				}
			}
		})
	}
}

// A key share's encoding is checked against its verification value.
func TestKeyShareEncoding(t *testing.T) {
	ctx := context.Background()
	d := deal(t, "2048-a", 2, 3)
	text := goldenFile(t, "key-share-1-NOT-SECRET")
	ks, err := d.vk.ParseKeyShareText(ctx, text)
	if err != nil || !bytes.Equal(ks.ExportText(), text) || ks.Index() != 1 {
		t.Fatal(err)
	}
	b := ks.Export()
	for i := 0; i < len(b); i++ {
		if i > headerSize+2 && i < len(b)-2 && i%64 != 0 {
			continue
		}
		flipped := append([]byte(nil), b...)
		flipped[i] ^= 4
		if _, err := d.vk.ParseKeyShare(ctx, flipped); err == nil {
			t.Errorf("byte %d may be flipped", i)
		}
	}
	if _, err := d.vk.ParseKeyShare(ctx, b[:40]); !errors.Is(err, ErrEncoding) && !errors.Is(err, ErrKeyMismatch) {
		t.Error(err)
	}
	if _, err := deal(t, "2048-b", 2, 3).vk.ParseKeyShare(ctx, b); !errors.Is(err, ErrKeyMismatch) {
		t.Errorf("another key's: %v", err)
	}
}

// What is parsed encodes to the same bytes, whatever is parsed.
func FuzzThresholdEncodings(f *testing.F) {
	all := artefacts(f)
	var names []string
	for _, name := range []string{"share-1", "share-proof-1", "knowledge-proof", "range-proof", "modulus-proof", "setup", "factor-proof", "verification-key"} {
		names = append(names, name)
		f.Add(byte(len(names)-1), all[name].binary)
	}
	f.Fuzz(func(t *testing.T, which byte, b []byte) {
		a := all[names[int(which)%len(names)]]
		if out, err := a.parse(b); err == nil && !bytes.Equal(out, b) {
			t.Fatalf("%s: %x", a.name, b)
		}
	})
}
