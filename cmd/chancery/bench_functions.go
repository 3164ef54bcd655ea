package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"chancery/chaincode/exchange"
	"chancery/compose/native"
	"chancery/workers"
)

// redeemDataset has one registered version, of which no node holds a byte: its
// grants are redeemed, and nobody could release its key.
const redeemDataset = "bench-redeem"

// registerObject registers that version.
func (b *bench) registerObject(ctx context.Context) error {
	command := b.name("object", 0)
	dataset := exchange.DatasetID(b.owner.profile.MSP, redeemDataset)
	body := &exchange.RegisterObject{
		Command: command, Dataset: dataset, CID: benchCID, Size: 1,
		SealedDigest: benchDigest, ContentDigest: benchDigest, FileName: "none",
	}
	outcome, err := workers.Submit(ctx, b.owner.worker, command, exchange.OpObjectRegister, body)
	return errors.Join(err, outcome.Err())
}

// The address and the digest of no bytes at all.
const (
	benchCID    = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"
	benchDigest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

// apply is a call of Apply with operations of a worker.
func (b *bench) apply(ctx context.Context, by *wire, ops []exchange.Operation, msps []string) (int, error) {
	batch, err := exchange.Encode(ops)
	if err != nil {
		return 0, err
	}
	answer, err := by.submit(ctx, b.asker.profile.Chaincode, "Apply", []string{string(batch)}, msps...)
	if err != nil {
		return 0, err
	}
	var outcomes []exchange.Outcome
	if err := json.Unmarshal(answer, &outcomes); err != nil {
		return 0, err
	}
	done := 0
	for _, o := range outcomes {
		if no := o.Err(); no != nil {
			err = no
			continue
		}
		done++
	}
	if done > 0 {
		err = nil // the share of success tells of the others
	}
	return done, err
}

func prepareOpen(_ context.Context, b *bench, series string, _, operations int) (caller, error) {
	body := b.request(benchDataset, 1)
	return func(ctx context.Context, n int, msps []string) (int, error) {
		ops := make([]exchange.Operation, operations)
		for i := range ops {
			op, err := exchange.NewOperation(b.name(series, n*operations+i), exchange.OpRequestOpen, body)
			if err != nil {
				return 0, err
			}
			ops[i] = op
		}
		return b.apply(ctx, b.raw, ops, msps)
	}, nil
}

// prepareGive opens as many requests as there are calls, and answers each by an
// officer of the owner, at the owner's peer.
func prepareGive(ctx context.Context, b *bench, series string, calls, _ int) (caller, error) {
	if err := b.openMany(ctx, series, giveDataset, calls); err != nil {
		return nil, err
	}
	if err := b.level(ctx); err != nil {
		return nil, err
	}
	officer, err := b.wireOf(b.owner, exchange.Officer)
	if err != nil {
		return nil, err
	}
	row, _ := exchange.TransitionOf(exchange.OpGrantGive)
	return func(ctx context.Context, n int, msps []string) (int, error) {
		body, err := exchange.Encode(&exchange.GiveGrant{Request: b.requestID(series, n)})
		if err != nil {
			return 0, err
		}
		_, err = officer.submit(ctx, b.owner.profile.Chaincode, row.Function, []string{b.name(series+"give", n), string(body)}, msps...)
		if err != nil {
			return 0, err
		}
		return 1, nil
	}, nil
}

func (b *bench) requestID(series string, n int) string {
	return exchange.NewID(exchange.NounRequest, b.asker.profile.MSP, b.name(series, n))
}

// wireOf is the wire of a department's identity. It stays open until the end.
func (b *bench) wireOf(d *desk, as exchange.Role) (*wire, error) {
	name := d.name + " " + string(as)
	if w, ok := b.wires[name]; ok {
		return w, nil
	}
	w, err := openWire(d.profile, as)
	if err != nil {
		return nil, err
	}
	if b.wires == nil {
		b.wires = map[string]*wire{}
	}
	b.wires[name] = w
	return w, nil
}

// prepareRedeem has as many uses granted as there are operations; each call
// claims some of them.
func prepareRedeem(ctx context.Context, b *bench, series string, calls, operations int) (caller, error) {
	grants := make([]string, (calls*operations+exchange.MaxUses-1)/exchange.MaxUses)
	for n := range grants {
		outcome, err := workers.Submit(ctx, b.asker.worker, b.name(series, n), exchange.OpRequestOpen, b.request(redeemDataset, exchange.MaxUses))
		if err = errors.Join(err, outcome.Err(), b.level(ctx)); err != nil {
			return nil, err
		}
		given, err := b.owner.sign(ctx, exchange.OpGrantGive, &exchange.GiveGrant{Request: outcome.ID})
		if err != nil {
			return nil, err
		}
		grants[n] = given.ID
	}
	if err := b.level(ctx); err != nil {
		return nil, err
	}
	return func(ctx context.Context, n int, msps []string) (int, error) {
		ops := make([]exchange.Operation, operations)
		for i := range ops {
			use := n*operations + i
			body := &exchange.RedeemGrant{Grant: grants[use/exchange.MaxUses], Slot: use % exchange.MaxUses}
			op, err := exchange.NewOperation(b.name(series+"redeem", use), exchange.OpGrantRedeem, body)
			if err != nil {
				return 0, err
			}
			ops[i] = op
		}
		return b.apply(ctx, b.raw, ops, msps)
	}, nil
}

// level waits until every department's peer has what any of them has committed
// by now: a department cannot act on what its own peer does not have yet.
func (b *bench) level(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, earLimit)
	defer cancel()
	highest := uint64(0)
	return poll(ctx, tailPoll, func() (bool, error) {
		report, err := native.Status(ctx, b.network.Dir())
		if err != nil || len(report.Heights) < len(b.everyone()) {
			return false, err
		}
		if highest == 0 {
			for _, height := range report.Heights {
				highest = max(highest, height)
			}
		}
		for _, height := range report.Heights {
			if height < highest {
				return false, nil
			}
		}
		return true, nil
	})
}

// queryRecords is how many requests the queries ask for in turn, and queryPage
// how many of them a page holds.
const (
	queryRecords = 200
	queryPage    = 50
)

// prepareQuery opens requests and asks for one of them, or for a page.
func prepareQuery(name string) func(context.Context, *bench, string, int, int) (caller, error) {
	return func(ctx context.Context, b *bench, series string, _, _ int) (caller, error) {
		if err := b.openMany(ctx, series, benchDataset, queryRecords); err != nil {
			return nil, err
		}
		page, err := exchange.Encode(exchange.Query{
			Noun: exchange.NounRequest, Department: b.asker.name, From: time.Now().Add(-24 * time.Hour).UTC().Truncate(time.Second), PageSize: queryPage,
		})
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context, n int, _ []string) (int, error) {
			args := []string{string(exchange.NounRequest), b.requestID(series, n%queryRecords)}
			if name == "List" {
				args = []string{string(page)}
			}
			answer, err := b.raw.evaluate(ctx, b.asker.profile.Chaincode, name, b.asker.profile.MSP, args...)
			if err == nil && len(answer) < 2 {
				err = fmt.Errorf("%s answers %q", name, answer)
			}
			if err != nil {
				return 0, err
			}
			return 1, nil
		}, nil
	}
}
