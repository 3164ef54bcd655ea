package provenance

import (
	"context"
	"errors"
	"fmt"

	"chancery/chaincode/exchange"
	"chancery/crypto/paillier"
)

// Records are what a job is evaluated from, and what the contract made of it.
type Records struct {
	Contributions []exchange.Contribution // in the order of the job's parties
	Mask          exchange.Mask
	Evaluation    exchange.Evaluation
}

// JobRecords reads the records of a job that was computed.
func (r Reader) JobRecords(ctx context.Context, j exchange.Job) (Records, error) {
	rec := Records{Contributions: make([]exchange.Contribution, len(j.Parties))}
	for i, p := range j.Parties {
		if err := r.Ledger.Get(ctx, exchange.NounContribution, j.ID+"/"+p.Department, &rec.Contributions[i]); err != nil {
			return rec, fmt.Errorf("contribution of %s: %w", p.Department, err)
		}
		if c := rec.Contributions[i]; c.Department != p.Department {
			return rec, Refusef("the contribution of %s to job %s is one of %s", p.Department, j.ID, c.Department)
		}
	}
	if err := r.Ledger.Get(ctx, exchange.NounMask, j.ID, &rec.Mask); err != nil {
		return rec, fmt.Errorf("mask: %w", err)
	}
	if err := r.Ledger.Get(ctx, exchange.NounEvaluation, j.ID, &rec.Evaluation); err != nil {
		return rec, fmt.Errorf("evaluation: %w", err)
	}
	return rec, nil
}

// Evaluate computes a job's aggregate anew and refuses a recorded one that
// differs. It answers the ciphertexts' digest.
func (rec Records) Evaluate(pk *paillier.PublicKey, j exchange.Job) (ciphertexts []*paillier.Ciphertext, digest string, err error) {
	texts, err := exchange.Evaluate(pk, j, rec.Contributions, rec.Mask)
	if errors.Is(err, exchange.ErrInvalid) {
		return nil, "", Refusef("job %s cannot be evaluated: %v", j.ID, err)
	}
	if err != nil {
		return nil, "", err
	}
	digest = exchange.CiphertextsDigest(texts)
	if rec.Evaluation.Digest != digest || exchange.CiphertextsDigest(rec.Evaluation.Ciphertexts) != digest {
		return nil, "", Refusef("the recorded evaluation of job %s has the digest %s, and computed anew it is %s", j.ID, rec.Evaluation.Digest, digest)
	}
	ciphertexts, err = exchange.DecodeCiphertexts(pk, texts, len(texts))
	return ciphertexts, digest, err
}

// Behind reports whether a job, as the peer that was asked tells it, has come
// less far than an event said already: the peer has not committed it yet.
func Behind(asked, said exchange.Job) bool { return progress(asked) < progress(said) }

// stages are the states of a job in the order in which it comes to them.
var stages = map[exchange.JobState]int{
	exchange.JobOpen: 0, exchange.JobApproved: 1, exchange.JobAligned: 2, exchange.JobContributed: 3,
	exchange.JobComputed: 4, exchange.JobShared: 5,
}

// progress counts what has happened to a job. It never goes back.
func progress(j exchange.Job) int {
	stage, ok := stages[j.State]
	if !ok {
		stage = len(stages) // over
	}
	const most = 1 + 3*exchange.MaxInputs // things that happen within stages
	n := stage * (most + 1)
	if j.Masked {
		n++
	}
	for _, p := range j.Parties {
		if p.ApprovedTx != "" {
			n++
		}
		if p.Aligned {
			n++
		}
		if p.ContributedTx != "" {
			n++
		}
	}
	return n
}
