package exchange

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"chancery/crypto/paillier"
)

// Reduction makes one value of all rows of a key.
type Reduction string

const (
	Only Reduction = "only" // a key has one row; two are an error
	Mean Reduction = "mean" // exact mean of all rows, rounded half to even at the spec's scale
	Sum  Reduction = "sum"
)

var reductions = []Reduction{Only, Mean, Sum}

// Operation of a job. There is one so far.
type JobOperation string

// WeightedSum is, for each key, Σ weight · value over the inputs.
const WeightedSum JobOperation = "weighted-sum"

// Limits of a job that the contract evaluates.
const (
	MaxInputs      = 16
	MaxKeys        = 1000
	MaxKeyBytes    = 16 << 10       // of all keys together: every provider may repeat them in the job's record
	MaxJobDuration = 90 * 24 * 3600 // seconds from opening to deadline
	// LeastContributors is how many departments besides the requester must
	// contribute: with one alone, the requester would subtract its own part from
	// the result and see the other's.
	LeastContributors = 2
)

// Input is one column of one dataset, by key. The provider computes it from the
// exact version that the spec names.
type Input struct {
	Dataset   string    `json:"dataset"`             // id; in [OpenJob] also "<owner>/<name>"
	Object    string    `json:"object,omitempty"`    // id of the version; in [OpenJob] empty: the latest
	Key       string    `json:"key"`                 // column that says which key a row belongs to
	Divisor   int64     `json:"divisor,omitempty"`   // the key is an integer, to be divided by this and rounded down; 0: not divided
	Value     string    `json:"value"`               // column of the numbers
	Reduction Reduction `json:"reduction,omitempty"` // none: only
	Shift     int       `json:"shift,omitempty"`     // the value is multiplied by 10^shift before it is rounded, -18 to 18
	Weight    int64     `json:"weight"`
}

func (in *Input) validate(i int) error {
	if in.Reduction == "" {
		in.Reduction = Only
	}
	err := first(
		checkDataset("inputs.dataset", in.Dataset),
		checkLine("inputs.key", in.Key, 1, 128),
		checkRange("inputs.divisor", in.Divisor, 0, 1<<53),
		checkLine("inputs.value", in.Value, 1, 128),
		checkOneOf("inputs.reduction", in.Reduction, reductions),
		checkRange("inputs.shift", int64(in.Shift), -18, 18))
	if in.Object != "" {
		err = first(err, checkID("inputs.object", NounObject, in.Object))
	}
	if in.Weight == 0 {
		err = first(err, Errorf(Invalid, "inputs[%d].weight is 0: leave the input out", i))
	}
	return err
}

// Plan is what a requester says of a job, and what providers approve.
type Plan struct {
	Operation  JobOperation `json:"operation"`
	Keyring    string       `json:"keyring"` // id; in [OpenJob] also "<keyholder>/<name>"
	Purpose    string       `json:"purpose"`
	LegalBasis string       `json:"legalBasis"`
	Inputs     []Input      `json:"inputs"`
	Keys       []string     `json:"keys"`      // what the result is asked for, in the result's order; integers without plus sign and leading zeros
	Scale      int          `json:"scale"`     // decimal digits after the point, of values and result, 0 to 18
	ValueBits  int          `json:"valueBits"` // values lie in [-2^(valueBits-1), 2^(valueBits-1)) / 10^scale, 2 to 62
	// MinContributors is how many departments besides the requester must have
	// contributed before anything is decrypted; 0: [LeastContributors].
	MinContributors int       `json:"minContributors,omitempty"`
	Deadline        time.Time `json:"deadline"` // nothing is approved, contributed or decrypted from then on
}

func (p *Plan) validate() error {
	p.Deadline = utc(p.Deadline)
	if p.MinContributors == 0 {
		p.MinContributors = LeastContributors
	}
	err := first(
		checkOneOf("operation", p.Operation, []JobOperation{WeightedSum}),
		checkKeyring("keyring", p.Keyring),
		checkLine("purpose", p.Purpose, 1, 200),
		checkLine("legalBasis", p.LegalBasis, 1, 500),
		checkRange("inputs", int64(len(p.Inputs)), 2, MaxInputs),
		checkRange("keys", int64(len(p.Keys)), 1, MaxKeys),
		checkList("keys", p.Keys, MaxKeys, checkKey),
		checkRange("keys in bytes", int64(len(strings.Join(p.Keys, ""))), 1, MaxKeyBytes),
		checkRange("scale", int64(p.Scale), 0, 18),
		checkRange("valueBits", int64(p.ValueBits), 2, 62),
		checkRange("minContributors", int64(p.MinContributors), LeastContributors, MaxInputs),
		checkPeriod(time.Time{}, p.Deadline))
	if p.Deadline.IsZero() {
		err = first(err, Errorf(Invalid, "deadline is not given"))
	}
	for i := range p.Inputs {
		err = first(err, p.Inputs[i].validate(i))
	}
	if err != nil {
		return err
	}
	_, err = p.Packing(paillier.DefaultBits)
	return err
}

// integerPattern is an integer as anybody might write it.
var integerPattern = regexp.MustCompile(`^[+-]?[0-9]+$`)

// checkKey takes a key as tables' keys are read: integers have no plus sign and
// no leading zeros, or no table would have them.
func checkKey(key string) error {
	if err := checkLine("keys", key, 1, 64); err != nil || !integerPattern.MatchString(key) {
		return err
	}
	canonical := strings.TrimLeft(key, "+-0")
	switch {
	case canonical == "":
		canonical = "0"
	case key[0] == '-':
		canonical = "-" + canonical
	}
	if key != canonical {
		return Errorf(Invalid, "keys names %q: tables' keys are read as integers, so write %q", key, canonical)
	}
	return nil
}

// Packing is how the job's values lie in plaintexts under a modulus of so many
// bits. Errors have the code [Invalid] and name the bound.
func (p *Plan) Packing(bits int) (*paillier.Packing, error) {
	layout := paillier.Layout{Bits: bits, Scale: p.Scale, ValueBits: p.ValueBits}
	for _, in := range p.Inputs {
		layout.Weights = append(layout.Weights, in.Weight)
	}
	packing, err := paillier.NewPacking(layout)
	if err != nil {
		return nil, Errorf(Invalid, "weights %v over values of %d bits: %v; divided by their gcd, weights may be %d at most, and value bits + ⌈log₂ Σ|weight|⌉ + 1 may be 63 at most",
			layout.Weights, p.ValueBits, err, paillier.MaxWeight)
	}
	return packing, nil
}

// Spec is a plan with everything that it names resolved to exact records. Its
// [BodyDigest] is what approvals are bound to.
type Spec struct {
	Plan
	Fingerprint string   `json:"fingerprint"` // of the keyring's public key
	Bits        int      `json:"bits"`        // of its modulus
	Requester   string   `json:"requester"`
	Keyholder   string   `json:"keyholder"`
	Sources     []Source `json:"sources"` // of each input, in their order
}

// Source is the exact version that an input is computed from.
type Source struct {
	Provider     string `json:"provider"`
	Dataset      string `json:"dataset"` // name
	SealedDigest string `json:"sealedDigest"`
}

// Providers names the departments whose data a job takes, in the order of its
// inputs.
func (s *Spec) Providers() []string {
	var names []string
	for _, source := range s.Sources {
		if !slices.Contains(names, source.Provider) {
			names = append(names, source.Provider)
		}
	}
	return names
}

// InputsOf lists the inputs of a department, by their place in the spec.
func (s *Spec) InputsOf(department string) []int {
	var list []int
	for i, source := range s.Sources {
		if source.Provider == department {
			list = append(list, i)
		}
	}
	return list
}

// CheckParties refuses a job that would show a department's values to another:
// one whose keyholder is its requester, that has fewer providers besides the
// requester than its minimum, or that takes a column twice, with weights that may
// cancel, so that a provider counts and adds nothing. Columns that hold the same
// under two names are for those to see who approve.
func (s *Spec) CheckParties() error {
	if s.Keyholder == s.Requester {
		return Errorf(Invalid, "%s holds the key of keyring %s and would see every contribution to its own job: use a keyring of another department", s.Requester, s.Keyring)
	}
	for i, in := range s.Inputs {
		for _, before := range s.Inputs[:i] {
			if in.Dataset == before.Dataset && in.Value == before.Value {
				return Errorf(Invalid, "inputs[%d] takes the column %q of %s a second time: name it once, with the sum of its weights", i, clip(in.Value), in.Dataset)
			}
		}
	}
	others := 0
	for _, name := range s.Providers() {
		if name != s.Requester {
			others++
		}
	}
	if others < s.MinContributors {
		return Errorf(Invalid, "the job has data of %d departments besides the requester %s: %d are needed, or the result would show what one of them holds", others, s.Requester, s.MinContributors)
	}
	return nil
}

// CheckSize refuses a job of which one department's contribution would be larger
// than an operation may be.
func (s *Spec) CheckSize() error {
	packing, err := s.Packing(s.Bits)
	if err != nil {
		return err
	}
	n := packing.Plaintexts(len(s.Keys))
	for _, name := range s.Providers() {
		inputs := len(s.InputsOf(name))
		if size := inputs * (n*(ciphertextSize(s.Bits)+len(`"",`)) + inputOverhead); size > MaxBody-inputOverhead {
			return Errorf(Invalid, "%s would contribute %d inputs of %d ciphertexts: %d bytes, above %d: ask for fewer keys or inputs, or smaller values",
				name, inputs, n, size, MaxBody)
		}
	}
	return nil
}

// checkKeyring takes a keyring's id or "<keyholder>/<name>".
func checkKeyring(field, s string) error {
	if _, _, named := DatasetName(s); named {
		return nil
	}
	return checkID(field, NounKeyring, s)
}
