package compute

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"

	"chancery/chaincode/exchange"
	"chancery/workers"
	"chancery/workers/journal"
	"chancery/workers/provenance"
)

func absent(err error) bool { return errors.Is(err, journal.ErrNotFound) }

func (c *compute) maskDue(j exchange.Job) bool {
	if j.Requester != c.Department || j.Masked {
		return false
	}
	switch j.State {
	case exchange.JobOpen, exchange.JobApproved, exchange.JobAligned:
		return true
	}
	return false
}

// mask encrypts a number that is uniform modulo n for each plaintext of the
// result, so that the keyholder opens nothing but noise. The numbers are
// journalled before their ciphertexts are told: only they bring the result back.
func (c *compute) mask(ctx context.Context, j exchange.Job) error {
	if err := provenance.CheckSpec(j); err != nil {
		return err
	}
	made, err := journal.Job[journal.Mask](c.Journal, j.ID, journal.MaskPart)
	if absent(err) {
		if made, err = c.newMask(ctx, j); err == nil {
			made, err = journal.PutJob(c.Journal, j.ID, journal.MaskPart, made)
		}
	}
	if err != nil {
		return err
	}
	if made.Spec != j.Digest {
		return workers.Reject(fmt.Errorf("the journal has a mask of job %s for another spec", j.ID))
	}
	return c.tell(ctx, j, exchange.OpJobMask, &exchange.MaskJob{Job: j.ID, Ciphertexts: made.Ciphertexts})
}

func (c *compute) newMask(ctx context.Context, j exchange.Job) (journal.Mask, error) {
	pk, err := c.reader.JobKey(ctx, j)
	if err != nil {
		return journal.Mask{}, err
	}
	packing, err := j.Spec.Packing(pk.Bits())
	if err != nil {
		return journal.Mask{}, provenance.Refusef("%v", err)
	}
	m := journal.Mask{Spec: j.Digest}
	numbers := make([]*big.Int, packing.Plaintexts(len(j.Spec.Keys)))
	for i := range numbers {
		if numbers[i], err = rand.Int(rand.Reader, pk.N()); err != nil {
			return journal.Mask{}, err
		}
		m.Numbers = append(m.Numbers, numbers[i].String())
	}
	m.Ciphertexts, err = c.encrypt(ctx, j, pk, numbers)
	return m, err
}

func (c *compute) evaluateDue(j exchange.Job) bool {
	return j.Requester == c.Department && j.State == exchange.JobContributed
}

// evaluate has the contract compute.
func (c *compute) evaluate(ctx context.Context, j exchange.Job) error {
	return c.tell(ctx, j, exchange.OpJobEvaluate, &exchange.EvaluateJob{Job: j.ID})
}
