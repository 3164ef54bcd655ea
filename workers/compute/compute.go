// Package compute is the worker that takes a department's part in a job: as the
// requester it masks the result and has the contract evaluate it, as a provider it
// says which keys its tables lack and contributes its values, packed and
// encrypted under the job's key.
//
// Whatever event woke it, it asks the ledger how far the job is and does what is
// due. A job that is over, or past its deadline by the own clock, is left alone.
//
// It trusts its own department's officers, whose approval it reads out of the
// transaction that they signed, its own peer's endorsement of it, and its own
// journal. Its department's values leave it encrypted only, for the very spec that
// was approved, under the key that the spec names; who holds that key can open
// each contribution. A table that cannot be used ends the job, with a reason that
// names column and row or key, and never a value.
package compute

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/rs/zerolog"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/crypto/keystore"
	"chancery/events"
	"chancery/workers"
	"chancery/workers/ipfs"
	"chancery/workers/journal"
	"chancery/workers/provenance"
)

// Name of the worker.
const Name = "compute"

// Node is the department's kubo node.
type Node interface {
	Cat(ctx context.Context, cid string) (io.ReadCloser, error)
}

// Ledger is what compute needs of the ledger client.
type Ledger interface {
	workers.Submitter
	provenance.Ledger
}

// Config is what compute works with.
type Config struct {
	Department string            // own name
	MSP        string            // own Fabric MSP
	Peer       *x509.Certificate // own peer's: it must have endorsed the own approval
	Chaincode  string            // name of the contract
	Keys       *keystore.Store   // holds the private keys of the own keyrings
	Journal    *journal.Journal
	Node       Node
	Ledger     Ledger
	Now        func() time.Time // own clock; nil: time.Now
}

// atOnce is how many jobs are worked on at once for each kind of event: work on a
// table is long, and one at a time of a job.
const atOnce = 2

// New returns the worker.
func New(cfg Config) workers.Worker {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	c := &compute{Config: cfg, reader: provenance.Reader{
		Department: cfg.Department, MSP: cfg.MSP, Peer: cfg.Peer, Chaincode: cfg.Chaincode, Ledger: cfg.Ledger,
	}}
	w := workers.Worker{Name: Name}
	for _, t := range []exchange.EventType{
		exchange.JobOpened, exchange.JobWasApproved, exchange.JobWasAligned, exchange.JobWasMasked, exchange.JobWasContributed,
	} {
		w.Subscriptions = append(w.Subscriptions, workers.Subscription{
			Filter: events.LedgerFilter(t, "", ""), Handle: c.handle, Concurrency: atOnce,
		})
	}
	return w
}

type compute struct {
	Config
	reader provenance.Reader
	turns  turns
	keys   privateKeys
}

func (c *compute) handle(ctx context.Context, m *workers.Message) error {
	said, err := events.Record[exchange.Job](m.Envelope)
	if err != nil {
		return workers.Reject(err)
	}
	if _, provides := said.Party(c.Department); !provides && said.Requester != c.Department {
		return nil
	}
	done, err := c.turns.take(ctx, said.ID)
	if err != nil {
		return err
	}
	defer done()
	err = c.advance(ctx, said)
	if wait, ok := errors.AsType[*waiting](err); ok {
		return workers.Retry(workers.Pause(m), wait)
	}
	return workers.Patient(m, err, ledger.Away, ipfs.Temporary)
}

// waiting is why a job cannot go on yet: something that comes by itself.
type waiting struct{ reason string }

func (w *waiting) Error() string { return w.reason }

func waitf(format string, args ...any) error { return &waiting{fmt.Sprintf(format, args...)} }

// step is one thing that a department does for a job.
type step struct {
	due func(j exchange.Job) bool
	do  func(ctx context.Context, j exchange.Job) error
}

func (c *compute) steps() []step {
	return []step{
		{c.maskDue, c.mask},
		{c.alignDue, c.align},
		{c.contributeDue, c.contribute},
		{c.evaluateDue, c.evaluate},
	}
}

// advance does what is due for a job now. What follows has an event of its own.
func (c *compute) advance(ctx context.Context, said exchange.Job) error {
	var j exchange.Job
	if err := c.Ledger.Get(ctx, exchange.NounJob, said.ID, &j); err != nil {
		return fmt.Errorf("job %s: %w", said.ID, err)
	}
	if provenance.Behind(j, said) {
		return waitf("job %s: the peer that was asked is behind", j.ID)
	}
	for _, s := range c.steps() {
		if j.State.Over() || !s.due(j) {
			continue
		}
		if j.Expired(c.Now()) {
			zerolog.Ctx(ctx).Warn().Str("id", j.ID).Time("deadline", j.Spec.Deadline).Msg("job left alone: its deadline is over")
			return nil
		}
		if err := c.do(ctx, j, s); err != nil {
			return fmt.Errorf("job %s: %w", j.ID, err)
		}
	}
	return nil
}

// do takes one step. Where it fails for good, the job ends, if it may still.
func (c *compute) do(ctx context.Context, j exchange.Job, s step) error {
	err := s.do(ctx, j)
	refused, isRefusal := errors.AsType[*provenance.Refusal](err)
	if !isRefusal {
		return c.unlessMovedOn(ctx, j, s, err)
	}
	_, provides := j.Party(c.Department)
	switch {
	case provides && (j.State == exchange.JobApproved || j.State == exchange.JobAligned):
		return c.end(ctx, j, s, exchange.OpJobFail, refused.Error())
	case j.Requester == c.Department:
		return c.end(ctx, j, s, exchange.OpJobWithdraw, refused.Error())
	}
	return workers.Reject(refused)
}

// end ends a job that cannot go on: a provider fails it, and where no provider may
// the requester withdraws it, so that nobody waits for its deadline.
func (c *compute) end(ctx context.Context, j exchange.Job, s step, op exchange.Op, reason string) error {
	err := c.tell(ctx, j, op, &exchange.EndJob{Job: j.ID, Reason: exchange.Visible(reason, exchange.MaxReason)})
	if err == nil {
		zerolog.Ctx(ctx).Error().Str("id", j.ID).Str("reason", reason).Msg("job cannot go on")
	}
	return c.unlessMovedOn(ctx, j, s, err)
}

// unlessMovedOn looks at the job again where the ledger was against a step: others
// may have ended it, or another copy of this worker been there first. Else it
// waits, for attestations or a certification most of all.
func (c *compute) unlessMovedOn(ctx context.Context, j exchange.Job, s step, err error) error {
	if errors.Is(err, exchange.ErrExpired) {
		zerolog.Ctx(ctx).Warn().Str("id", j.ID).Err(err).Msg("job left alone")
		return nil
	}
	if !errors.Is(err, exchange.ErrConflict) {
		return err
	}
	var now exchange.Job
	if err := c.Ledger.Get(ctx, exchange.NounJob, j.ID, &now); err != nil {
		return err
	}
	if now.State.Over() || !s.due(now) {
		return nil
	}
	return waitf("%v", err)
}

// tell tells the ledger one thing about a job. A revoked grant is final.
func (c *compute) tell(ctx context.Context, j exchange.Job, name exchange.Op, body exchange.Body) error {
	begun := time.Now()
	outcome, err := workers.Submit(ctx, c.Ledger, "", name, body)
	if err != nil {
		return err
	}
	if outcome.Code == exchange.Revoked {
		return provenance.Refusef("%s", outcome.Message)
	}
	if err := outcome.Err(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	zerolog.Ctx(ctx).Info().Str("id", j.ID).Str("tx", outcome.Tx).Str("code", string(outcome.Code)).
		Int64("ms", time.Since(begun).Milliseconds()).Msg(string(name))
	return nil
}
