package compute

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"chancery/chaincode/exchange"
	"chancery/crypto/paillier"
	"chancery/workers"
	"chancery/workers/journal"
	"chancery/workers/provenance"
)

func (c *compute) alignDue(j exchange.Job) bool {
	p, provides := j.Party(c.Department)
	return provides && j.State == exchange.JobApproved && !p.Aligned
}

// align says which keys the own tables lack. Every value is computed for it, so
// that a table which cannot be used ends the job here.
func (c *compute) align(ctx context.Context, j exchange.Job) error {
	packing, _, err := c.prepare(ctx, j)
	if err != nil {
		return err
	}
	var lacking [][]string
	for _, i := range j.Spec.InputsOf(c.Department) {
		_, missing, err := c.read(ctx, j, i, packing)
		if err != nil {
			return err
		}
		lacking = append(lacking, missing)
	}
	missing := union(j.Spec.Keys, lacking...)
	zerolog.Ctx(ctx).Info().Str("id", j.ID).Int("keys", len(j.Spec.Keys)).Int("missing", len(missing)).Msg("tables read")
	return c.tell(ctx, j, exchange.OpJobAlign, &exchange.AlignJob{Job: j.ID, Missing: missing})
}

func (c *compute) contributeDue(j exchange.Job) bool {
	p, provides := j.Party(c.Department)
	return provides && j.State == exchange.JobAligned && p.ContributedTx == ""
}

// contribute encrypts the own values over the job's keys. They are journalled
// before they are told, since encryption never gives the same twice.
func (c *compute) contribute(ctx context.Context, j exchange.Job) error {
	packing, pk, err := c.prepare(ctx, j)
	if err != nil {
		return err
	}
	if err := c.reader.CheckFixed(ctx, j); errors.Is(err, exchange.ErrNotFound) {
		return waitf("%v", err)
	} else if err != nil {
		return err
	}
	body := &exchange.Contribute{Job: j.ID}
	for _, i := range j.Spec.InputsOf(c.Department) {
		texts, err := c.contribution(ctx, j, i, packing, pk)
		if err != nil {
			return err
		}
		body.Inputs = append(body.Inputs, exchange.Encrypted{Input: i, Ciphertexts: texts})
	}
	return c.tell(ctx, j, exchange.OpJobContribute, body)
}

// prepare makes sure that the own department approved this very job, which takes
// its values under the key that the spec names.
func (c *compute) prepare(ctx context.Context, j exchange.Job) (*paillier.Packing, *paillier.PublicKey, error) {
	if err := provenance.CheckSpec(j); err != nil {
		return nil, nil, err
	}
	if _, err := c.reader.CheckApproval(ctx, j, c.Department); err != nil {
		return nil, nil, err
	}
	pk, err := c.reader.JobKey(ctx, j)
	if err != nil {
		return nil, nil, err
	}
	packing, err := j.Spec.Packing(pk.Bits())
	if err != nil {
		return nil, nil, provenance.Refusef("%v", err)
	}
	return packing, pk, nil
}

// input is what the journal keeps of a contribution.
type input struct {
	Spec        string   `json:"spec"` // digest
	Keys        []string `json:"keys"`
	Ciphertexts []string `json:"ciphertexts"`
}

// contribution is one input under encryption, made once.
func (c *compute) contribution(ctx context.Context, j exchange.Job, i int, packing *paillier.Packing, pk *paillier.PublicKey) ([]string, error) {
	part := fmt.Sprintf("input-%d", i)
	made, err := journal.Job[input](c.Journal, j.ID, part)
	if absent(err) {
		if made, err = c.encryptInput(ctx, j, i, packing, pk); err == nil {
			made, err = journal.PutJob(c.Journal, j.ID, part, made)
		}
	}
	if err != nil {
		return nil, err
	}
	if made.Spec != j.Digest || !slices.Equal(made.Keys, j.Keys()) {
		return nil, workers.Reject(fmt.Errorf("the journal has a contribution to job %s with another spec or other keys", j.ID))
	}
	return made.Ciphertexts, nil
}

func (c *compute) encryptInput(ctx context.Context, j exchange.Job, i int, packing *paillier.Packing, pk *paillier.PublicKey) (input, error) {
	values, _, err := c.read(ctx, j, i, packing)
	if err != nil {
		return input{}, err
	}
	keys := j.Keys()
	vector := make([]int64, len(keys))
	for k, key := range keys {
		v, there := values[key]
		if !there {
			return input{}, provenance.Refusef("input %d lacks key %q, which this department did not say", i, key)
		}
		vector[k] = v
	}
	plaintexts, err := packing.Pack(nil, vector)
	if err != nil {
		return input{}, provenance.Refusef("input %d does not fit the job's packing", i)
	}
	texts, err := c.encrypt(ctx, j, pk, plaintexts)
	return input{Spec: j.Digest, Keys: keys, Ciphertexts: texts}, err
}

// encrypt encrypts under the job's key, by the private one where it is the own:
// that is faster, and the noise as good.
func (c *compute) encrypt(ctx context.Context, j exchange.Job, pk *paillier.PublicKey, plaintexts []*big.Int) ([]string, error) {
	begun := time.Now()
	list := make([]*paillier.Ciphertext, len(plaintexts))
	for i := range list {
		list[i] = new(paillier.Ciphertext)
	}
	by := pk.EncryptBatch
	if j.Spec.Keyholder == c.Department {
		sk, err := c.keys.of(c.Keys, j)
		if err != nil {
			return nil, err
		}
		by = sk.EncryptBatch
	}
	if err := by(ctx, nil, list, plaintexts); err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	texts := make([]string, len(list))
	for i, ciphertext := range list {
		text, err := ciphertext.MarshalText()
		if err != nil {
			return nil, fmt.Errorf("encrypt: %w", err)
		}
		texts[i] = string(text)
	}
	zerolog.Ctx(ctx).Info().Str("id", j.ID).Int("ciphertexts", len(texts)).Int64("ms", time.Since(begun).Milliseconds()).Msg("encrypted")
	return texts, nil
}
