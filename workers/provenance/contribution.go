package provenance

import (
	"context"
	"fmt"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
)

// CheckContribution reads the transaction by which a provider contributed: it
// signed these very ciphertexts, for this job, and there never were others.
func (r Reader) CheckContribution(ctx context.Context, j exchange.Job, c exchange.Contribution) error {
	what := fmt.Sprintf("the contribution of %s to job %s", c.Department, j.ID)
	p, ok := j.Party(c.Department)
	if !ok || p.ContributedTx == "" {
		return Refusef("%s is not there", what)
	}
	tx, err := r.signed(ctx, p.ContributedTx, c.Department, what)
	if err != nil {
		return err
	}
	err = saidBy(tx, exchange.OpJobContribute, exchange.Contribute{Job: j.ID, Inputs: c.Inputs}, what)
	if err != nil {
		return err
	}
	return once[exchange.Contribution](ctx, r, exchange.NounContribution, j.ID+"/"+c.Department, tx.ID, what)
}

// CheckMask reads the transaction of the requester's mask. Another's, of nothing,
// would show the keyholder the result; a second one could be made of what others
// contributed after the first.
func (r Reader) CheckMask(ctx context.Context, j exchange.Job, m exchange.Mask) error {
	what := "the mask of job " + j.ID
	tx, err := r.signed(ctx, m.Change.Tx, j.Requester, what)
	if err != nil {
		return err
	}
	if err := saidBy(tx, exchange.OpJobMask, exchange.MaskJob{Job: j.ID, Ciphertexts: m.Ciphertexts}, what); err != nil {
		return err
	}
	return once[exchange.Mask](ctx, r, exchange.NounMask, j.ID, tx.ID, what)
}

// saidBy demands that a transaction's creator said this, to the letter.
func saidBy[T any](tx ledger.Transaction, op exchange.Op, want T, what string) error {
	said, err := Said[T](tx, op)
	if err != nil {
		return err
	}
	digest, err := exchange.BodyDigest(want)
	if err != nil {
		return err
	}
	for _, body := range said {
		if is, err := exchange.BodyDigest(body); err != nil || is == digest {
			return err
		}
	}
	return Refusef("%s is not what was signed in transaction %s", what, tx.ID)
}

// once demands that a record has one version, which its own transaction wrote.
func once[T any](ctx context.Context, r Reader, noun exchange.Noun, id, tx, what string) error {
	return EveryVersion(ctx, r.Ledger, noun, id, func(_ T, wrote string) error {
		if wrote != tx {
			return Refusef("%s was written by transaction %s too, besides its own %s", what, wrote, tx)
		}
		return nil
	})
}

// CheckFixed demands that what the requester adds to a job is on record, signed
// and final, before this department shows a ciphertext: the mask, and the
// requester's own contribution where it has one. Else the requester could make
// either of what it is shown, and see this department's values. That the peer does
// not hold it yet is [exchange.ErrNotFound].
func (r Reader) CheckFixed(ctx context.Context, j exchange.Job) error {
	var m exchange.Mask
	if err := r.Ledger.Get(ctx, exchange.NounMask, j.ID, &m); err != nil {
		return fmt.Errorf("mask: %w", err)
	}
	if err := r.CheckMask(ctx, j, m); err != nil {
		return err
	}
	p, provides := j.Party(j.Requester)
	if !provides || r.Department == j.Requester {
		return nil
	}
	if p.ContributedTx == "" { // when the job was read: the record may be there since
		return fmt.Errorf("contribution of %s: %w", j.Requester, exchange.ErrNotFound)
	}
	var c exchange.Contribution
	if err := r.Ledger.Get(ctx, exchange.NounContribution, j.ID+"/"+j.Requester, &c); err != nil {
		return fmt.Errorf("contribution of %s: %w", j.Requester, err)
	}
	if c.Department != j.Requester {
		return Refusef("the contribution of %s to job %s is one of %s", j.Requester, j.ID, c.Department)
	}
	return r.CheckContribution(ctx, j, c)
}

// CheckOrder demands that the blocks have what the requester adds to a job before
// the contributions of others, as the contract does.
func (r Reader) CheckOrder(ctx context.Context, j exchange.Job, m exchange.Mask) error {
	what := "the mask of job " + j.ID
	tx, err := r.Transaction(ctx, m.Change.Tx, what)
	if err != nil {
		return err
	}
	last := tx.Block
	if p, provides := j.Party(j.Requester); provides {
		if tx, err = r.Transaction(ctx, p.ContributedTx, "the contribution of "+j.Requester); err != nil {
			return err
		}
		if tx.Block > last {
			what, last = "the contribution of the requester "+j.Requester, tx.Block
		}
	}
	for _, p := range j.Parties {
		if p.Department == j.Requester {
			continue
		}
		if tx, err = r.Transaction(ctx, p.ContributedTx, "the contribution of "+p.Department); err != nil {
			return err
		}
		if tx.Block <= last {
			return Refusef("%s is in block %d, and the contribution of %s in block %d was not after it", what, last, p.Department, tx.Block)
		}
	}
	return nil
}
