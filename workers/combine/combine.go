// Package combine is the requester's worker at a job's end: it checks what the
// keyholder opened, takes its mask off, commits to the result on the ledger and
// delivers it.
//
// The keyholder is trusted for nothing but not to tell others: each number that it
// opened must encrypt, with the randomness that it gives, to the very ciphertext
// that this worker computed anew from the recorded contributions. A share that
// does not is contested on the ledger, with the reason.
package combine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/crypto/keystore"
	"chancery/events"
	"chancery/workers"
	"chancery/workers/journal"
	"chancery/workers/provenance"
)

// Name of the worker.
const Name = "combine"

// Ledger is what combine needs of the ledger client.
type Ledger interface {
	workers.Submitter
	provenance.Ledger
}

// Config is what combine works with.
type Config struct {
	Department string // own name
	Inbox      string // directory that results are delivered to
	Keys       *keystore.Store
	Journal    *journal.Journal
	Ledger     Ledger
}

// New returns the worker.
func New(cfg Config) workers.Worker {
	c := &combine{cfg, provenance.Reader{Department: cfg.Department, Ledger: cfg.Ledger}}
	return workers.Worker{Name: Name, Subscriptions: []workers.Subscription{
		{Filter: events.LedgerFilter(exchange.JobSharePosted, "", ""), Handle: c.handle, Concurrency: 2},
	}}
}

type combine struct {
	Config
	reader provenance.Reader
}

func (c *combine) handle(ctx context.Context, m *workers.Message) error {
	said, err := events.Record[exchange.Share](m.Envelope)
	if err != nil {
		return workers.Reject(err)
	}
	if said.Requester != c.Department {
		return nil
	}
	var j exchange.Job
	if err := c.Ledger.Get(ctx, exchange.NounJob, said.Job, &j); err != nil {
		return workers.Patient(m, fmt.Errorf("job %s: %w", said.Job, err), ledger.Away)
	}
	switch {
	case j.Requester != c.Department:
		return workers.Reject(fmt.Errorf("job %s is one of %s, whatever the event says", j.ID, j.Requester))
	case j.State == exchange.JobShared:
		err = c.finish(ctx, j)
	case j.State == exchange.JobClosed:
		err = c.deliverAgain(ctx, j)
	case j.State.Over():
		return nil
	default:
		return workers.Retry(workers.Pause(m), fmt.Errorf("job %s: it is %s at the peer that was asked, which is behind", j.ID, j.State))
	}
	return workers.Patient(m, err, ledger.Away)
}

// finish computes the result, commits to it and delivers it, in this order; or
// contests what it was to be computed from.
func (c *combine) finish(ctx context.Context, j exchange.Job) error {
	begun := time.Now()
	r, err := c.result(ctx, j)
	if wrong, ok := errors.AsType[*provenance.Refusal](err); ok {
		return c.contest(ctx, j, wrong.Error())
	}
	if err != nil {
		return fmt.Errorf("result of job %s: %w", j.ID, err)
	}
	zerolog.Ctx(ctx).Info().Str("id", j.ID).Int("keys", len(j.Keys())).Int64("ms", time.Since(begun).Milliseconds()).Msg("share checked and unmasked")
	if err := c.tell(ctx, j, exchange.OpJobClose, &exchange.CloseJob{Job: j.ID, Commitment: r.commitment()}); err != nil {
		return err
	}
	return c.deliver(ctx, j, r)
}

func (c *combine) contest(ctx context.Context, j exchange.Job, reason string) error {
	zerolog.Ctx(ctx).Error().Str("id", j.ID).Str("from", j.Spec.Keyholder).Str("reason", reason).Msg("share contested")
	return c.tell(ctx, j, exchange.OpJobContest, &exchange.EndJob{Job: j.ID, Reason: exchange.Visible(reason, exchange.MaxReason)})
}

func (c *combine) tell(ctx context.Context, j exchange.Job, name exchange.Op, body exchange.Body) error {
	outcome, err := workers.Submit(ctx, c.Ledger, "", name, body)
	if err != nil {
		return fmt.Errorf("job %s: %w", j.ID, err)
	}
	if err := outcome.Err(); err != nil {
		return fmt.Errorf("%s of job %s: %w", name, j.ID, err)
	}
	zerolog.Ctx(ctx).Info().Str("id", j.ID).Str("tx", outcome.Tx).Str("code", string(outcome.Code)).Msg(string(name))
	return nil
}

// deliverAgain delivers the result of a job that was closed before its files were
// there. What was delivered once is the department's own, to move and to delete.
func (c *combine) deliverAgain(ctx context.Context, j exchange.Job) error {
	_, err := journal.Job[delivered](c.Journal, j.ID, deliveredPart)
	if !errors.Is(err, journal.ErrNotFound) {
		return err
	}
	r, err := c.result(ctx, j)
	if wrong, ok := errors.AsType[*provenance.Refusal](err); ok {
		return workers.Reject(fmt.Errorf("result of job %s, closed before: %w", j.ID, wrong))
	}
	if err != nil {
		return fmt.Errorf("result of job %s: %w", j.ID, err)
	}
	return c.deliver(ctx, j, r)
}
