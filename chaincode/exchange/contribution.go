package exchange

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"

	"chancery/crypto/paillier"
)

// Contribution is a provider's encrypted values for a job: for each of its
// inputs, one ciphertext for every plaintext of [Plan.Packing] over [Job.Keys].
type Contribution struct {
	Job        string      `json:"job"`
	Department string      `json:"department"`
	Inputs     []Encrypted `json:"inputs"` // in the order of the spec
	Change     Change      `json:"change"`
}

// Encrypted is one input under encryption.
type Encrypted struct {
	Input       int      `json:"input"`       // its place in the spec
	Ciphertexts []string `json:"ciphertexts"` // text form of [paillier.Ciphertext]
}

// Mask is the requester's encryption of numbers that are uniform modulo n, one
// for each plaintext that the spec's keys can take. It is added to the result, so
// that the keyholder opens nothing but noise.
type Mask struct {
	Job         string   `json:"job"`
	Requester   string   `json:"requester"`
	Ciphertexts []string `json:"ciphertexts"`
	Change      Change   `json:"change"`
}

// Evaluation is what the contract computed: [Evaluate] of the contributions and
// the mask.
type Evaluation struct {
	Job         string   `json:"job"`
	Ciphertexts []string `json:"ciphertexts"`
	Digest      string   `json:"digest"` // [CiphertextsDigest]
	Change      Change   `json:"change"`
}

// Share is the keyholder's opening of an evaluation, sealed to the requester.
type Share struct {
	Job        string `json:"job"`
	Department string `json:"department"` // the keyholder
	Requester  string `json:"requester"`
	Digest     string `json:"digest"` // of the evaluation as the keyholder computed it anew
	Sealed     string `json:"sealed"` // age file, base64: see [Opening]
	Change     Change `json:"change"`
}

// Opening is what a share holds under its seal: for each ciphertext of the
// evaluation its plaintext, still masked, and the number r with
// c = (1+n)^plaintext · r^n mod n², by which the requester sees that it is the
// ciphertext's own. Numbers are decimal.
type Opening struct {
	Job        string   `json:"job"`
	Digest     string   `json:"digest"`
	Plaintexts []string `json:"plaintexts"`
	Randomness []string `json:"randomness"`
}

// ciphertextSize is the length of a ciphertext's text form under a modulus of so
// many bits: see paillier's encoding.
func ciphertextSize(bits int) int {
	return len("paillier-ciphertext-1.") + base64.RawURLEncoding.EncodedLen(5+bits/4+paillier.FingerprintSize)
}

// inputOverhead is more than a contribution's JSON takes for each input besides
// its ciphertexts, and for itself besides its inputs.
const inputOverhead = 128

// maxCiphertexts is the most plaintexts that [MaxKeys] values can take.
const maxCiphertexts = 64

// MaskJob is the body of [OpJobMask].
type MaskJob struct {
	Job         string   `json:"job"`
	Ciphertexts []string `json:"ciphertexts"`
}

// Validate checks the body by itself.
func (b *MaskJob) Validate() error {
	return first(checkID("job", NounJob, b.Job), checkCiphertexts("ciphertexts", b.Ciphertexts))
}

// Contribute is the body of [OpJobContribute].
type Contribute struct {
	Job    string      `json:"job"`
	Inputs []Encrypted `json:"inputs"`
}

// Validate checks the body by itself.
func (b *Contribute) Validate() error {
	err := first(checkID("job", NounJob, b.Job), checkRange("inputs", int64(len(b.Inputs)), 1, MaxInputs))
	for i, in := range b.Inputs {
		err = first(err,
			checkRange("inputs.input", int64(in.Input), 0, MaxInputs-1),
			checkCiphertexts("inputs.ciphertexts", in.Ciphertexts))
		if i > 0 && in.Input <= b.Inputs[i-1].Input {
			err = first(err, Errorf(Invalid, "inputs are not in the order of the spec, each once"))
		}
	}
	return err
}

// EvaluateJob is the body of [OpJobEvaluate].
type EvaluateJob struct {
	Job string `json:"job"`
}

// Validate checks the body by itself.
func (b *EvaluateJob) Validate() error { return checkID("job", NounJob, b.Job) }

// PostShare is the body of [OpJobShare].
type PostShare struct {
	Job    string `json:"job"`
	Digest string `json:"digest"`
	Sealed string `json:"sealed"`
}

// maxSealed bounds a sealed opening, in characters.
const maxSealed = 192 << 10

// ageIntro is the first line of every age file of version 1.
const ageIntro = "age-encryption.org/v1\n"

// Validate checks the body by itself.
func (b *PostShare) Validate() error {
	err := first(
		checkID("job", NounJob, b.Job),
		checkDigest("digest", b.Digest),
		checkSize("sealed", b.Sealed, 1, maxSealed))
	sealed, bad := base64.StdEncoding.Strict().DecodeString(b.Sealed)
	if bad != nil || strings.ContainsAny(b.Sealed, "\r\n") || !bytes.HasPrefix(sealed, []byte(ageIntro)) {
		err = first(err, Errorf(Invalid, "sealed is not an age file in base64"))
	}
	return err
}

func checkCiphertexts(field string, list []string) error {
	err := checkRange(field, int64(len(list)), 1, maxCiphertexts)
	for _, text := range list {
		err = first(err, checkForm(field, text, ciphertextPattern))
	}
	return err
}

// CiphertextsDigest is the SHA-256, in lower-case hexadecimal, of ciphertexts in
// their text form, each followed by a newline.
func CiphertextsDigest(list []string) string {
	h := sha256.New()
	for _, text := range list {
		h.Write([]byte(text))
		h.Write([]byte{'\n'})
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Commitment binds a requester to a result without showing it:
// SHA-256(salt ‖ SHA-256(result)) in lower-case hexadecimal.
func Commitment(salt, result []byte) string {
	inner := sha256.Sum256(result)
	outer := sha256.Sum256(append(append([]byte(nil), salt...), inner[:]...))
	return hex.EncodeToString(outer[:])
}
