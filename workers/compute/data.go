package compute

import (
	"context"
	"errors"
	"fmt"

	"chancery/chaincode/exchange"
	"chancery/crypto/envelope"
	"chancery/crypto/paillier"
	"chancery/workers/ipfs"
	"chancery/workers/journal"
	"chancery/workers/provenance"
	"chancery/workers/table"
)

// read computes one of the own inputs from the exact version that the spec names:
// fetched through the own node, both digests checked, opened by the journal's key.
// What makes it unusable is a [*provenance.Refusal].
func (c *compute) read(ctx context.Context, j exchange.Job, input int, packing *paillier.Packing) (values map[string]int64, missing []string, err error) {
	least, greatest := packing.Range()
	col := newColumn(j.Spec.Plan, input, least, greatest)
	err = c.scan(ctx, j, input, col)
	if err == nil {
		values, missing, err = col.values()
	}
	if wrong, ok := errors.AsType[*table.Error](err); ok {
		return nil, nil, provenance.Refusef("input %d, %s of %s: %v", input, j.Spec.Sources[input].Dataset, c.Department, wrong)
	}
	return values, missing, err
}

// scan shows a column the rows of its table. Digests are judged before the table:
// other bytes than the ones that were sealed say nothing about it.
func (c *compute) scan(ctx context.Context, j exchange.Job, input int, col *column) error {
	object, dataset, sealed, err := c.version(ctx, j, input)
	if err != nil {
		return err
	}
	commitment, err := journal.CommitmentOf(object)
	if err != nil {
		return provenance.Refusef("%v", err)
	}
	rows, err := table.NewReader(table.Of(dataset.Description), []string{col.input.Key, col.input.Value}, col.row)
	if err != nil {
		return err
	}
	source, err := c.Node.Cat(ctx, object.CID)
	if errors.Is(err, ipfs.ErrInvalidCID) || errors.Is(err, ipfs.ErrNotFile) {
		return provenance.Refusef("object %s: %v", object.ID, err)
	}
	if err != nil {
		return fmt.Errorf("fetch object %s: %w", object.ID, err)
	}
	defer source.Close()
	_, err = envelope.Open(table.Screen(rows), source, sealed.Key, sealed.Salt, commitment)
	for _, damage := range []error{envelope.ErrSealedDigest, envelope.ErrFileKey, envelope.ErrContentDigest} {
		if errors.Is(err, damage) {
			return provenance.Refusef("object %s: %v", object.ID, err)
		}
	}
	if err != nil {
		return fmt.Errorf("open object %s: %w", object.ID, err)
	}
	_, err = rows.Close()
	return err
}

// version reads what ledger and journal say of an input's version.
func (c *compute) version(ctx context.Context, j exchange.Job, input int) (object exchange.Object, dataset exchange.Dataset, sealed journal.Object, err error) {
	in, source := j.Spec.Inputs[input], j.Spec.Sources[input]
	if err = c.Ledger.Get(ctx, exchange.NounObject, in.Object, &object); err != nil {
		return object, dataset, sealed, fmt.Errorf("object %s: %w", in.Object, err)
	}
	if err = c.Ledger.Get(ctx, exchange.NounDataset, in.Dataset, &dataset); err != nil {
		return object, dataset, sealed, fmt.Errorf("dataset %s: %w", in.Dataset, err)
	}
	if dataset.State != exchange.Registered {
		return object, dataset, sealed, provenance.Refusef("dataset %s is %s: %s", dataset.Name, dataset.State, dataset.Change.Reason)
	}
	sealed, err = c.Journal.Object(in.Object, in.Dataset)
	switch {
	case errors.Is(err, journal.ErrNotFound):
		err = provenance.Refusef("object %s was never sealed here", in.Object)
	case err != nil:
		err = fmt.Errorf("key of %s: %w", in.Object, err)
	case sealed.Registration.SealedDigest != source.SealedDigest || object.SealedDigest != source.SealedDigest:
		err = provenance.Refusef("object %s was sealed here with another digest than the spec of job %s names", in.Object, j.ID)
	}
	return object, dataset, sealed, err
}
