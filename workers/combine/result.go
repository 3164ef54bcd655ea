package combine

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"chancery/chaincode/exchange"
	"chancery/crypto/envelope"
	"chancery/crypto/keystore"
	"chancery/crypto/paillier"
	"chancery/workers/journal"
	"chancery/workers/provenance"
)

// saltSize is the length of a commitment's salt in bytes.
const saltSize = 32

// resultPart names the part of a job that the result's salt is in the journal.
const resultPart = "result"

// result is a job's result as it is delivered.
type result struct {
	csv  []byte
	salt []byte
}

func (r result) commitment() string { return exchange.Commitment(r.salt, r.csv) }

// salted is what the journal keeps of a result: the same salt makes the same
// commitment on a repeat, and the rest can be computed again.
type salted struct {
	Salt   string `json:"salt"`   // hexadecimal
	Digest string `json:"digest"` // SHA-256 of the result, hexadecimal
}

// result computes a job's result from the ledger's records, the keyholder's share
// and the own mask. What is wrong with the first two is a [*provenance.Refusal].
func (c *combine) result(ctx context.Context, j exchange.Job) (result, error) {
	if err := provenance.CheckSpec(j); err != nil {
		return result{}, err
	}
	pk, err := c.reader.JobKey(ctx, j)
	if err != nil {
		return result{}, err
	}
	mask, err := c.ownMask(j)
	if err != nil {
		return result{}, err
	}
	records, err := c.reader.JobRecords(ctx, j)
	if err != nil {
		return result{}, err
	}
	if !slices.Equal(records.Mask.Ciphertexts, mask.Ciphertexts) {
		return result{}, provenance.Refusef("the mask of job %s on record is not the one that %s made", j.ID, c.Department)
	}
	ciphertexts, digest, err := records.Evaluate(pk, j)
	if err != nil {
		return result{}, err
	}
	masked, err := c.opened(ctx, j, pk, ciphertexts, digest)
	if err != nil {
		return result{}, err
	}
	return c.unmask(j, pk, masked, mask)
}

// ownMask is the mask that compute made and journalled. Without it nobody reads
// the result.
func (c *combine) ownMask(j exchange.Job) (journal.Mask, error) {
	mask, err := journal.Job[journal.Mask](c.Journal, j.ID, journal.MaskPart)
	if err == nil && mask.Spec != j.Digest {
		err = fmt.Errorf("the journal has a mask of job %s for another spec", j.ID)
	}
	return mask, err
}

// opened reads the share and checks that its numbers are those of the ciphertexts.
func (c *combine) opened(ctx context.Context, j exchange.Job, pk *paillier.PublicKey, ciphertexts []*paillier.Ciphertext, digest string) ([]*big.Int, error) {
	var share exchange.Share
	if err := c.Ledger.Get(ctx, exchange.NounShare, j.ID+"/"+j.Spec.Keyholder, &share); err != nil {
		return nil, fmt.Errorf("share: %w", err)
	}
	if share.Digest != digest {
		return nil, provenance.Refusef("the share is of the evaluation %s, not %s", share.Digest, digest)
	}
	opening, err := c.unseal(share)
	if err != nil {
		return nil, err
	}
	if opening.Job != j.ID || opening.Digest != digest || len(opening.Plaintexts) != len(ciphertexts) || len(opening.Randomness) != len(ciphertexts) {
		return nil, provenance.Refusef("the share opens %d ciphertexts of evaluation %s of job %s, not %d of %s", len(opening.Plaintexts), opening.Digest, opening.Job, len(ciphertexts), digest)
	}
	masked := make([]*big.Int, len(ciphertexts))
	for i, want := range ciphertexts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		m, okM := number(opening.Plaintexts[i])
		r, okR := number(opening.Randomness[i])
		if !okM || !okR {
			return nil, provenance.Refusef("the share's numbers for ciphertext %d are none", i)
		}
		made, err := pk.EncryptWith(m, r)
		if err != nil {
			return nil, provenance.Refusef("the share's numbers for ciphertext %d are out of range", i)
		}
		if !made.Equal(want) {
			return nil, provenance.Refusef("the share's numbers for ciphertext %d do not encrypt to it", i)
		}
		masked[i] = m
	}
	return masked, nil
}

// unseal opens a share with the department's identity.
func (c *combine) unseal(share exchange.Share) (exchange.Opening, error) {
	var opening exchange.Opening
	identity, err := c.Keys.Identity(keystore.Department)
	if err != nil {
		return opening, err
	}
	sealed, err := base64.StdEncoding.DecodeString(share.Sealed)
	if err != nil {
		return opening, provenance.Refusef("the share is not base64: %v", err)
	}
	plain, err := envelope.OpenRecord(sealed, identity)
	if errors.Is(err, envelope.ErrNotForUs) || errors.Is(err, envelope.ErrMalformed) {
		return opening, provenance.Refusef("the share cannot be unsealed: %v", err)
	}
	if err != nil {
		return opening, err
	}
	if err := exchange.Decode(plain, &opening); err != nil {
		return opening, provenance.Refusef("the share holds no opening: its JSON is not as it should be")
	}
	return opening, nil
}

// number reads a decimal number, at least 0, as [big.Int.String] writes it.
func number(text string) (*big.Int, bool) {
	n, ok := new(big.Int).SetString(text, 10)
	return n, ok && n.Sign() >= 0 && n.String() == text
}

// unmask takes the mask off, and writes the result.
func (c *combine) unmask(j exchange.Job, pk *paillier.PublicKey, masked []*big.Int, mask journal.Mask) (result, error) {
	packing, err := j.Spec.Packing(pk.Bits())
	if err != nil {
		return result{}, provenance.Refusef("%v", err)
	}
	if len(mask.Numbers) < len(masked) {
		return result{}, fmt.Errorf("the journal has %d numbers of the mask: %d are needed", len(mask.Numbers), len(masked))
	}
	for i, m := range masked {
		n, ok := number(mask.Numbers[i])
		if !ok {
			return result{}, fmt.Errorf("number %d of the mask in the journal is none", i)
		}
		m.Sub(m, n).Mod(m, pk.N())
	}
	sums, err := packing.Unpack(masked, len(j.Keys()))
	if err != nil {
		return result{}, provenance.Refusef("the sums cannot be unpacked, so that a contribution was out of the declared range: %v", err)
	}
	table, err := write(j, sums)
	if err != nil {
		return result{}, err
	}
	return c.salt(j, table)
}

// write makes the result's table: CSV of key and value, in the spec's order.
func write(j exchange.Job, sums []int64) ([]byte, error) {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	rows := [][]string{{"key", "value"}}
	for i, key := range j.Keys() {
		rows = append(rows, []string{key, paillier.FormatDecimal(sums[i], j.Spec.Scale)})
	}
	err := w.WriteAll(rows)
	return out.Bytes(), err
}

// salt joins a result with the salt that its commitment is made with.
func (c *combine) salt(j exchange.Job, table []byte) (result, error) {
	fresh := make([]byte, saltSize)
	if _, err := rand.Read(fresh); err != nil {
		return result{}, err
	}
	sum := sha256.Sum256(table)
	kept, err := journal.PutJob(c.Journal, j.ID, resultPart, salted{Salt: hex.EncodeToString(fresh), Digest: hex.EncodeToString(sum[:])})
	if err != nil {
		return result{}, err
	}
	if kept.Digest != hex.EncodeToString(sum[:]) {
		return result{}, fmt.Errorf("the journal has another result of job %s", j.ID)
	}
	salt, err := hex.DecodeString(kept.Salt)
	return result{csv: table, salt: salt}, err
}
