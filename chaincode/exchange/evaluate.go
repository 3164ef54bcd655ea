package exchange

import (
	"context"

	"chancery/crypto/paillier"
)

// Evaluate is the aggregate of a job: for each plaintext the weighted sum of the
// inputs and the packing's offset, plus the requester's mask, as ciphertexts in
// their text form. The contract, the keyholder and the requester all call it, and
// it gives all of them the same bytes.
//
// Contributions come in any order, one for each provider. Errors have the code
// [Invalid]: a contribution that is missing, there twice or of another job, and
// whatever the ciphertexts' checks refuse.
func Evaluate(pk *paillier.PublicKey, j Job, contributions []Contribution, mask Mask) ([]string, error) {
	packing, err := j.Spec.Packing(pk.Bits())
	if err != nil {
		return nil, err
	}
	n := packing.Plaintexts(len(j.Keys()))
	if mask.Job != j.ID || len(mask.Ciphertexts) < n {
		return nil, Errorf(Invalid, "the mask is not one of %d ciphertexts for job %s", n, j.ID)
	}
	inputs, err := inputsOf(j, contributions)
	if err != nil {
		return nil, err
	}
	addends := make([][]*paillier.Ciphertext, len(inputs)+1)
	for i, texts := range append(inputs, mask.Ciphertexts[:n]) {
		if addends[i], err = DecodeCiphertexts(pk, texts, n); err != nil {
			return nil, err
		}
	}
	out := make([]string, n)
	for k := range out {
		column := make([]*paillier.Ciphertext, len(inputs))
		for i := range column {
			column[i] = addends[i][k]
		}
		c, err := packing.Evaluate(pk, column)
		if err == nil {
			c, err = pk.Add(c, addends[len(inputs)][k])
		}
		if err != nil {
			return nil, Errorf(Invalid, "evaluate plaintext %d of job %s: %v", k, j.ID, err)
		}
		text, err := c.MarshalText()
		if err != nil {
			return nil, Errorf(Invalid, "evaluate plaintext %d of job %s: %v", k, j.ID, err)
		}
		out[k] = string(text)
	}
	return out, nil
}

// inputsOf puts the contributions' ciphertexts in the order of the spec.
func inputsOf(j Job, contributions []Contribution) ([][]string, error) {
	inputs := make([][]string, len(j.Spec.Inputs))
	for _, c := range contributions {
		if c.Job != j.ID {
			return nil, Errorf(Invalid, "a contribution to job %s is none to %s", c.Job, j.ID)
		}
		for _, in := range c.Inputs {
			switch {
			case in.Input < 0 || in.Input >= len(inputs) || j.Spec.Sources[in.Input].Provider != c.Department:
				return nil, Errorf(Invalid, "input %d of job %s is not one of %s", in.Input, j.ID, c.Department)
			case inputs[in.Input] != nil:
				return nil, Errorf(Invalid, "input %d of job %s is there twice", in.Input, j.ID)
			}
			inputs[in.Input] = in.Ciphertexts
		}
	}
	for i, texts := range inputs {
		if texts == nil {
			return nil, Errorf(Invalid, "input %d of job %s, by %s, is missing", i, j.ID, j.Spec.Sources[i].Provider)
		}
	}
	return inputs, nil
}

// DecodeCiphertexts reads and checks exactly n ciphertexts under a key. Errors
// have the code [Invalid].
func DecodeCiphertexts(pk *paillier.PublicKey, texts []string, n int) ([]*paillier.Ciphertext, error) {
	if len(texts) != n {
		return nil, Errorf(Invalid, "%d ciphertexts: there must be %d", len(texts), n)
	}
	list := make([]*paillier.Ciphertext, n)
	for i, text := range texts {
		list[i] = new(paillier.Ciphertext)
		if err := list[i].UnmarshalText([]byte(text)); err != nil {
			return nil, Errorf(Invalid, "ciphertext %d: %v", i, err)
		}
	}
	if err := pk.CheckBatch(context.Background(), list); err != nil {
		return nil, Errorf(Invalid, "ciphertexts: %v", err)
	}
	return list, nil
}
