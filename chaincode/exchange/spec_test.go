package exchange

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"chancery/crypto/paillier"
)

func someSpec() Spec {
	return Spec{
		Plan: somePlan(), Fingerprint: "000102030405060708090a0b0c0d0e0f", Bits: 3072, Requester: "health", Keyholder: "labor",
		Sources: []Source{{Provider: "census", Dataset: "population", SealedDigest: someDigest}, {Provider: "labor", Dataset: "unemployment", SealedDigest: someDigest}},
	}
}

// TestSpecDigest pins the digest that approvals are bound to, and finds another
// for every change.
func TestSpecDigest(t *testing.T) {
	digest := func(change func(s *Spec)) string {
		s := someSpec()
		change(&s)
		d, err := BodyDigest(s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	const want = "9f2bfeaf484b361f3518497614ec918f6bacdcb66efdb4eefd0002b5e860127a"
	if got := digest(func(*Spec) {}); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	seen := map[string]string{want: "none"}
	for name, change := range map[string]func(s *Spec){
		"keyring":     func(s *Spec) { s.Keyring = KeyringID("m", "o") },
		"fingerprint": func(s *Spec) { s.Fingerprint = "" },
		"bits":        func(s *Spec) { s.Bits = 4096 },
		"requester":   func(s *Spec) { s.Requester = "labor" },
		"keyholder":   func(s *Spec) { s.Keyholder = "census" },
		"purpose":     func(s *Spec) { s.Purpose = "research" },
		"legal basis": func(s *Spec) { s.LegalBasis = "section 6" },
		"deadline":    func(s *Spec) { s.Deadline = s.Deadline.Add(time.Second) },
		"scale":       func(s *Spec) { s.Scale++ },
		"value bits":  func(s *Spec) { s.ValueBits++ },
		"minimum":     func(s *Spec) { s.MinContributors++ },
		"keys":        func(s *Spec) { s.Keys = s.Keys[1:] },
		"their order": func(s *Spec) { slices.Reverse(s.Keys) },
		"weight":      func(s *Spec) { s.Inputs[0].Weight++ },
		"shift":       func(s *Spec) { s.Inputs[0].Shift++ },
		"divisor":     func(s *Spec) { s.Inputs[0].Divisor = 1000 },
		"reduction":   func(s *Spec) { s.Inputs[0].Reduction = Sum },
		"value":       func(s *Spec) { s.Inputs[0].Value = "rate" },
		"object":      func(s *Spec) { s.Inputs[0].Object = NewID(NounObject, "m", "d") },
		"source":      func(s *Spec) { s.Sources[1].SealedDigest = strings.Repeat("0b", 32) },
		"provider":    func(s *Spec) { s.Sources[1].Provider = "health" },
	} {
		d := digest(change)
		if other := seen[d]; other != "" {
			t.Errorf("%s has the digest of %s", name, other)
		}
		seen[d] = name
	}
}

func TestCheckParties(t *testing.T) {
	for _, tc := range []struct {
		name                 string
		requester, keyholder string
		providers            []string
		least                int
		says                 string // "": allowed
	}{
		{"two others", "health", "labor", []string{"census", "labor"}, 2, ""},
		{"and its own", "health", "labor", []string{"health", "census", "labor"}, 2, ""},
		{"holds the key", "labor", "labor", []string{"health", "census", "labor"}, 2, "holds the key"},
		{"alone", "health", "labor", []string{"health", "health"}, 2, "0 departments"},
		{"one other", "health", "labor", []string{"census", "health"}, 2, "1 departments"},
		{"one other, often", "health", "labor", []string{"census", "census", "health"}, 2, "1 departments"},
		{"two of three", "health", "labor", []string{"census", "labor"}, 3, "3 are needed"},
	} {
		s := Spec{Plan: Plan{MinContributors: tc.least}, Requester: tc.requester, Keyholder: tc.keyholder}
		for _, p := range tc.providers {
			s.Sources = append(s.Sources, Source{Provider: p})
		}
		err := s.CheckParties()
		if (err == nil) != (tc.says == "") || err != nil && (!errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), tc.says)) {
			t.Errorf("%s: %v, want %q", tc.name, err, tc.says)
		}
	}
	twice := someSpec()
	twice.Inputs[1].Dataset, twice.Inputs[1].Value = twice.Inputs[0].Dataset, twice.Inputs[0].Value
	if err := twice.CheckParties(); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "a second time") {
		t.Errorf("a column twice: %v", err)
	}
	good := someSpec()
	if err := good.CheckParties(); err != nil {
		t.Error(err)
	}
	s := Spec{Sources: []Source{{Provider: "b"}, {Provider: "a"}, {Provider: "b"}}}
	if got := s.Providers(); !slices.Equal(got, []string{"b", "a"}) {
		t.Errorf("providers %v", got)
	}
	if got := s.InputsOf("b"); !slices.Equal(got, []int{0, 2}) || s.InputsOf("c") != nil {
		t.Errorf("inputs %v", got)
	}
}

func TestBadPlans(t *testing.T) {
	refused(t, OpJobOpen, map[string]func(b *OpenJob){
		"operation":               func(b *OpenJob) { b.Operation = "median" },
		"keyring":                 func(b *OpenJob) { b.Keyring = "Labor/x" },
		"keyring|of another noun": func(b *OpenJob) { b.Keyring = DatasetID("m", "n") },
		"purpose":                 func(b *OpenJob) { b.Purpose = "" },
		"legalBasis":              func(b *OpenJob) { b.LegalBasis = "a\nb" },
		"inputs":                  func(b *OpenJob) { b.Inputs = b.Inputs[:1] },
		"inputs|many":             func(b *OpenJob) { b.Inputs = slices.Repeat(b.Inputs, 9) },
		"inputs.dataset":          func(b *OpenJob) { b.Inputs[0].Dataset = "census" },
		"inputs.object":           func(b *OpenJob) { b.Inputs[0].Object = "latest" },
		"inputs.key":              func(b *OpenJob) { b.Inputs[0].Key = "" },
		"inputs.value":            func(b *OpenJob) { b.Inputs[0].Value = " people" },
		"inputs.divisor":          func(b *OpenJob) { b.Inputs[0].Divisor = -1 },
		"inputs.reduction":        func(b *OpenJob) { b.Inputs[0].Reduction = "median" },
		"inputs.shift":            func(b *OpenJob) { b.Inputs[0].Shift = 19 },
		"inputs[1].weight":        func(b *OpenJob) { b.Inputs[1].Weight = 0 },
		"keys":                    func(b *OpenJob) { b.Keys = nil },
		"keys|twice":              func(b *OpenJob) { b.Keys = []string{"1", "1"} },
		"keys|empty":              func(b *OpenJob) { b.Keys = []string{"1", ""} },
		"write \"4\"":             func(b *OpenJob) { b.Keys = []string{"1", "04"} },
		"write \"7\"":             func(b *OpenJob) { b.Keys = []string{"+7"} },
		"write \"-7\"":            func(b *OpenJob) { b.Keys = []string{"-007"} },
		"write \"0\"":             func(b *OpenJob) { b.Keys = []string{"-0"} },
		"keys|many": func(b *OpenJob) {
			b.Keys = nil
			for i := range MaxKeys + 1 {
				b.Keys = append(b.Keys, strconv.Itoa(i))
			}
		},
		"keys in bytes": func(b *OpenJob) {
			b.Keys = nil
			for i := range MaxKeys {
				b.Keys = append(b.Keys, strings.Repeat("k", 20)+strconv.Itoa(i))
			}
		},
		"scale":             func(b *OpenJob) { b.Scale = 19 },
		"valueBits":         func(b *OpenJob) { b.ValueBits = 1 },
		"valueBits|many":    func(b *OpenJob) { b.ValueBits = 63 },
		"minContributors":   func(b *OpenJob) { b.MinContributors = 1 },
		"deadline":          func(b *OpenJob) { b.Deadline = time.Time{} },
		"years":             func(b *OpenJob) { b.Deadline = noon.AddDate(200, 0, 0) },
		"255 at most":       func(b *OpenJob) { b.Inputs[0].Weight = 256 },
		"255 at most|least": func(b *OpenJob) { b.Inputs[0].Weight = -1 << 63 },
		"63 at most":        func(b *OpenJob) { b.ValueBits = 62 },
		"63 at most|great gcd": func(b *OpenJob) {
			b.Inputs[0].Weight, b.Inputs[1].Weight = 1<<40, -1<<40
		},
	})
}

// TestPlanKeys takes integers as tables' keys are read, and any other text.
func TestPlanKeys(t *testing.T) {
	b := OpenJob{Plan: somePlan()}
	b.Keys = []string{"0", "-7", "10", "1.0", "1e3", "A01", "0x1", "+", "-", "- 0"}
	if err := b.Validate(); err != nil {
		t.Error(err)
	}
}

// TestPlanDefaults fills in what a plan leaves out, and says it as one that has
// it.
func TestPlanDefaults(t *testing.T) {
	full, brief := somePlan(), somePlan()
	full.Inputs[0].Reduction = Only
	brief.Inputs[0].Reduction, brief.MinContributors, brief.Deadline = "", 0, brief.Deadline.In(time.FixedZone("", 7200))
	a, errA := NewOperation("c", OpJobOpen, &OpenJob{full})
	b, errB := NewOperation("c", OpJobOpen, &OpenJob{brief})
	if errA != nil || errB != nil || string(a.Body) != string(b.Body) {
		t.Errorf("%s (%v) and %s (%v)", a.Body, errA, b.Body, errB)
	}
}

func TestBadComputations(t *testing.T) {
	refused(t, OpKeyringCreate, map[string]func(b *CreateKeyring){
		"name":              func(b *CreateKeyring) { b.Name = "" },
		"publicKey":         func(b *CreateKeyring) { b.PublicKey = "paillier-private-1.AVMB" },
		"publicKey|padding": func(b *CreateKeyring) { b.PublicKey += "=" },
		"publicKey|long":    func(b *CreateKeyring) { b.PublicKey += strings.Repeat("A", 4096) },
	})
	refused(t, OpJobApprove, map[string]func(b *ApproveJob){
		"job":  func(b *ApproveJob) { b.Job = NewID(NounGrant, "m", "c") },
		"spec": func(b *ApproveJob) { b.Spec = "" },
	})
	refused(t, OpJobFail, map[string]func(b *EndJob){"reason": func(b *EndJob) { b.Reason = "" }})
	refused(t, OpJobAlign, map[string]func(b *AlignJob){
		"missing":      func(b *AlignJob) { b.Missing = []string{"1", "1"} },
		"missing|line": func(b *AlignJob) { b.Missing = []string{"a\nb"} },
	})
	refused(t, OpJobMask, map[string]func(b *MaskJob){
		"ciphertexts":      func(b *MaskJob) { b.Ciphertexts = nil },
		"ciphertexts|many": func(b *MaskJob) { b.Ciphertexts = slices.Repeat(b.Ciphertexts, maxCiphertexts+1) },
		"ciphertexts|key":  func(b *MaskJob) { b.Ciphertexts[0] = "paillier-public-1.AV" },
	})
	refused(t, OpJobContribute, map[string]func(b *Contribute){
		"inputs":             func(b *Contribute) { b.Inputs = nil },
		"inputs|order":       func(b *Contribute) { slices.Reverse(b.Inputs) },
		"inputs|twice":       func(b *Contribute) { b.Inputs[1].Input = 0 },
		"inputs.input":       func(b *Contribute) { b.Inputs[1].Input = MaxInputs },
		"inputs.ciphertexts": func(b *Contribute) { b.Inputs[0].Ciphertexts = nil },
	})
	refused(t, OpJobShare, map[string]func(b *PostShare){
		"digest":       func(b *PostShare) { b.Digest = "" },
		"sealed":       func(b *PostShare) { b.Sealed = "" },
		"sealed|plain": func(b *PostShare) { b.Sealed = "cGxhaW4=" },
		"sealed|lines": func(b *PostShare) { b.Sealed += "\n" },
		"sealed|long":  func(b *PostShare) { b.Sealed += strings.Repeat("A", maxSealed) },
	})
	refused(t, OpJobClose, map[string]func(b *CloseJob){"commitment": func(b *CloseJob) { b.Commitment = strings.ToUpper(someDigest) }})
}

// TestKeyringKey refuses moduli that a keyring does not take.
func TestKeyringKey(t *testing.T) {
	sk, err := testKey()
	if err != nil {
		t.Fatal(err)
	}
	text, err := sk.Public().MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	k := Keyring{PublicKey: string(text)}
	if pk, err := k.Key(); err != nil || !pk.Equal(sk.Public()) {
		t.Errorf("%v", err)
	}
	shorter, err := os.ReadFile(filepath.Join("..", "..", "crypto", "paillier", "testdata", "TEST-KEY-NOT-SECRET-2560.txt"))
	if err != nil {
		t.Fatal(err)
	}
	short, err := paillier.ParsePrivateKeyText(shorter)
	if err != nil {
		t.Fatal(err)
	}
	shortText, err := short.Public().MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"empty": "", "another kind": string(sk.ExportText()), "cut off": string(text[:len(text)-3]), "short": string(shortText)} {
		k := Keyring{PublicKey: text}
		if _, err := k.Key(); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v, want %s", name, err, Invalid)
		}
	}
}

// TestCommitment pins a commitment, which people may recompute by other means.
func TestCommitment(t *testing.T) {
	// printf salt > f; printf result | sha256sum | cut -c1-64 | xxd -r -p >> f; sha256sum f
	const want = "f0e632b9c08f888c05d45a9738c5b8d7f42cbe87ab93a7943b0bd2ff040d6ef7"
	if got := Commitment([]byte("salt"), []byte("result")); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if Commitment([]byte("salt1"), []byte("result")) == Commitment([]byte("salt"), []byte("1result")) {
		t.Error("salt and result can be shifted")
	}
}
