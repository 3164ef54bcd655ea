package main

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"sync"
	"time"

	"chancery/chaincode/exchange"
	"chancery/crypto/paillier"
	"chancery/workers"
)

// computing is what the jobs of a load share: a keyring of the provider, a table
// of the owner and one of the provider, and ciphertexts that are made once,
// since what is measured is what the network does with them.
type computing struct {
	keyring     string
	inputs      []exchange.Input
	ciphertext  string // of packed values
	mask        string
	contributor *wire // the owner's worker
}

// deciders is how many approvals are signed at once.
const deciders = 100

// prepareContribute has as many jobs approved by both their providers, masked
// and aligned as there are operations; each call posts the owner's ciphertexts
// for some of them.
func prepareContribute(ctx context.Context, b *bench, series string, calls, operations int) (caller, error) {
	if b.jobs == nil {
		c, err := b.compute(ctx)
		if err != nil {
			return nil, err
		}
		b.jobs = c
	}
	jobs, err := b.alignedJobs(ctx, series, calls*operations)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, n int, msps []string) (int, error) {
		ops := make([]exchange.Operation, operations)
		for i := range ops {
			op, err := exchange.NewOperation("", exchange.OpJobContribute, &exchange.Contribute{
				Job: jobs[n*operations+i], Inputs: []exchange.Encrypted{{Input: 0, Ciphertexts: []string{b.jobs.ciphertext}}},
			})
			if err != nil {
				return 0, err
			}
			ops[i] = op
		}
		return b.apply(ctx, b.jobs.contributor, ops, msps)
	}, nil
}

// contributeName is the function that posts ciphertexts.
const contributeName = "contribute"

// computes reports whether jobs can be made here: their providers are two, and
// their workers must not act on them.
func (b *bench) computes() bool { return b.own && b.provider.name != b.owner.name }

// compute makes what all jobs share.
func (b *bench) compute(ctx context.Context) (*computing, error) {
	key, err := paillier.GenerateKey(ctx, paillier.KeyOptions{})
	if err != nil {
		return nil, err
	}
	public, err := key.Public().MarshalText()
	if err != nil {
		return nil, err
	}
	made, err := b.provider.sign(ctx, exchange.OpKeyringCreate, &exchange.CreateKeyring{Name: "bench-" + b.run, PublicKey: string(public)})
	if err != nil {
		return nil, fmt.Errorf("keyring: %w", err)
	}
	c := &computing{keyring: made.ID}
	if err := b.level(ctx); err != nil {
		return nil, err
	}
	for i, d := range []*desk{b.owner, b.provider} {
		input, err := b.table(ctx, d)
		if err != nil {
			return nil, fmt.Errorf("table of %s: %w", d.name, err)
		}
		input.Weight = int64(i + 2)
		c.inputs = append(c.inputs, input)
	}
	packing, err := b.plan(c).Packing(key.Bits())
	if err != nil {
		return nil, err
	}
	packed, err := packing.Pack(nil, []int64{105, 70000})
	if err != nil {
		return nil, err
	}
	for _, e := range []struct {
		m  *big.Int
		to *string
	}{{packed[0], &c.ciphertext}, {below(key.N()), &c.mask}} {
		encrypted, err := key.Encrypt(nil, e.m)
		if err != nil {
			return nil, err
		}
		text, err := encrypted.MarshalText()
		if err != nil {
			return nil, err
		}
		*e.to = string(text)
	}
	if c.contributor, err = b.wireOf(b.owner, exchange.Worker); err != nil {
		return nil, err
	}
	return c, b.level(ctx)
}

// table registers a table of a department with one version, of which nobody
// holds a byte: its values are those that are encrypted here.
func (b *bench) table(ctx context.Context, d *desk) (exchange.Input, error) {
	body := describeBench("bench-table")
	body.Terms.Actions = []exchange.Action{exchange.Compute}
	body.MediaType = "text/csv"
	body.Columns = []exchange.Column{{Name: "key", Type: exchange.Integer}, {Name: "value", Type: exchange.Integer}}
	dataset, err := workers.Submit(ctx, d.worker, "", exchange.OpDatasetRegister, &body)
	if err = errors.Join(err, dataset.Err()); err != nil {
		return exchange.Input{}, err
	}
	command := b.name("table", 0)
	object, err := workers.Submit(ctx, d.worker, command, exchange.OpObjectRegister, &exchange.RegisterObject{
		Command: command, Dataset: dataset.ID, CID: benchCID, Size: 1, Rows: 2,
		SealedDigest: benchDigest, ContentDigest: benchDigest, FileName: "table.csv",
	})
	if err = errors.Join(err, object.Err()); err != nil {
		return exchange.Input{}, err
	}
	return exchange.Input{Dataset: dataset.ID, Object: object.ID, Key: "key", Value: "value", Reduction: exchange.Only}, nil
}

// plan asks for the weighted sum of both tables for two keys.
func (b *bench) plan(c *computing) *exchange.OpenJob {
	return &exchange.OpenJob{Plan: exchange.Plan{
		Operation: exchange.WeightedSum, Keyring: c.keyring, Purpose: benchPurpose, LegalBasis: "none: this is a benchmark",
		Inputs: c.inputs, Keys: []string{"1", "2"}, ValueBits: 32, MinContributors: exchange.LeastContributors,
		Deadline: time.Now().Add(24 * time.Hour).UTC().Truncate(time.Second),
	}}
}

// alignedJobs makes jobs that wait for their contributions: all of them a step
// further at a time, each step once every peer has the one before.
func (b *bench) alignedJobs(ctx context.Context, series string, n int) ([]string, error) {
	jobs, specs := make([]string, n), make([]string, n)
	submit := func(by *desk, op exchange.Op, body func(i int) exchange.Body) func(int) error {
		return func(i int) error {
			done, err := workers.Submit(ctx, by.worker, "", op, body(i))
			return errors.Join(err, done.Err())
		}
	}
	approve := func(by *desk) func(int) error {
		return func(i int) error {
			_, err := by.sign(ctx, exchange.OpJobApprove, &exchange.ApproveJob{Job: jobs[i], Spec: specs[i]})
			return err
		}
	}
	align := func(i int) exchange.Body { return &exchange.AlignJob{Job: jobs[i]} }
	for _, step := range []struct {
		what string
		do   func(i int) error
	}{
		{"open", func(i int) error { return b.openJob(ctx, b.name(series, i), &jobs[i], &specs[i]) }},
		{"approve as " + b.owner.name, approve(b.owner)},
		{"approve as " + b.provider.name, approve(b.provider)},
		{"mask", submit(b.asker, exchange.OpJobMask, func(i int) exchange.Body {
			return &exchange.MaskJob{Job: jobs[i], Ciphertexts: []string{b.jobs.mask}}
		})},
		{"align as " + b.owner.name, submit(b.owner, exchange.OpJobAlign, align)},
		{"align as " + b.provider.name, submit(b.provider, exchange.OpJobAlign, align)},
	} {
		if err := eachOf(ctx, n, deciders, step.do); err != nil {
			return nil, fmt.Errorf("%s: %w", step.what, err)
		}
		if err := b.level(ctx); err != nil {
			return nil, err
		}
	}
	return jobs, nil
}

// openJob opens one and reads its spec's digest.
func (b *bench) openJob(ctx context.Context, command string, id, spec *string) error {
	opened, err := workers.Submit(ctx, b.asker.worker, command, exchange.OpJobOpen, b.plan(b.jobs))
	if err = errors.Join(err, opened.Err()); err != nil {
		return err
	}
	var job exchange.Job
	err = b.asker.worker.Get(ctx, exchange.NounJob, opened.ID, &job)
	*id, *spec = opened.ID, job.Digest
	return err
}

// eachOf calls do for 0 to n-1, so many at once, and returns the first error,
// after which none is begun.
func eachOf(ctx context.Context, n, atOnce int, do func(i int) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var group sync.WaitGroup
	next := make(chan int)
	for range min(n, atOnce) {
		group.Go(func() {
			for i := range next {
				if err := do(i); err != nil {
					stop(err)
				}
			}
		})
	}
	for i := 0; i < n && ctx.Err() == nil; i++ {
		select {
		case next <- i:
		case <-ctx.Done():
		}
	}
	close(next)
	group.Wait()
	return context.Cause(ctx)
}
