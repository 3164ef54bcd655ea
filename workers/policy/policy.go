// Package policy is the worker that decides requests and jobs by rules which its
// department wrote down: it gives a narrowed grant or approves the job, refuses
// with a reason, or leaves it open for an officer. What it decides it signs as
// the department's identity "policy", a certificate of its own with the role of
// that name, so that the ledger tells a rule's decision from a person's.
//
// Rules are conditions in CEL (https://cel.dev, the standard functions alone)
// over the request, its dataset, its requester, the time and the history
// between the two departments. They are compiled with the types of these, so
// that a misspelt field is an error with line and column, and their cost is
// bounded, both when they are read and while they are evaluated.
//
// A job is decided by the same rules, each of the department's inputs as a
// request to compute on its dataset: every one must be given for the job to be
// approved, and any refusal refuses it. What a job has besides is in the variable
// job. A request for data has none: a condition that comes to depend on it does
// not hold then, so that a rule about jobs never gives data away, while
// "job.keys > 500 || request.purpose == 'x'" still holds by its second half.
//
// When in doubt a request goes to an officer: where no rule holds, where a
// condition cannot be evaluated, where the rules cannot be read, where the
// ledger refuses what a rule decided. A rule can narrow what request and terms
// allow, and never widen it; the contract holds it to that too.
//
// It trusts the ledger's records, its own clock, and the rule file as much as
// an officer: whoever can write that file decides.
package policy

import (
	"context"
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/events"
	"chancery/workers"
)

// Name of the worker.
const Name = "policy"

// Ledger is what policy needs of the ledger client, which signs as the
// identity "policy".
type Ledger interface {
	Reader
	Invoke(ctx context.Context, op exchange.Operation) (exchange.Outcome, error)
}

// Config is what policy works with.
type Config struct {
	Department string // own name
	Rules      *File
	Ledger     Ledger
	Now        func() time.Time // own clock; nil: time.Now
}

// New returns the worker.
func New(cfg Config) workers.Worker {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	p := &policy{cfg}
	return workers.Worker{Name: Name, Subscriptions: []workers.Subscription{
		{Filter: events.LedgerFilter(exchange.RequestOpened, "", cfg.Department), Handle: p.handle, Concurrency: 4},
		{Filter: events.LedgerFilter(exchange.JobOpened, "", ""), Handle: p.handleJob, Concurrency: 4},
	}}
}

type policy struct{ Config }

func (p *policy) handle(ctx context.Context, m *workers.Message) error {
	opened, err := events.Record[exchange.Request](m.Envelope)
	if err != nil {
		return workers.Reject(err)
	}
	if opened.Provider != p.Department {
		return nil
	}
	rules, err := p.Rules.current()
	switch {
	case err != nil:
		zerolog.Ctx(ctx).Error().Err(err).Msg("the rules cannot be used: left to an officer")
		return nil
	case len(rules.List) == 0:
		return nil // every request waits for an officer: the ledger need not be asked
	}
	return workers.Patient(m, p.consider(ctx, rules, opened.ID), ledger.Away)
}

// consider acts on what the ledger says of the request now; the event only
// woke it.
func (p *policy) consider(ctx context.Context, rules *Rules, id string) error {
	var r exchange.Request
	if err := p.Ledger.Get(ctx, exchange.NounRequest, id, &r); err != nil {
		return fmt.Errorf("request %s: %w", id, err)
	}
	log := zerolog.Ctx(ctx).With().Str("id", r.ID).Logger()
	if r.State != exchange.RequestOpen {
		log.Info().Str("state", string(r.State)).Msg("decided already")
		return nil
	}
	facts, err := Gather(ctx, p.Ledger, r, rules.AskHistory(), p.Now().UTC())
	if err != nil {
		return err
	}
	d := rules.Decide(ctx, facts)
	if err := ctx.Err(); err != nil {
		return err // it was interrupted, which is no fault of a rule
	}
	log = log.With().Str("rule", d.Rule).Str("rules", rules.Digest).Str("reason", d.Reason).Logger()
	switch {
	case d.Fault:
		log.Error().Msg("a rule failed: left to an officer")
	case d.Verdict == ToOfficer:
		log.Info().Msg("left to an officer")
	default:
		return p.sign(log.WithContext(ctx), r, d)
	}
	return nil
}

// Command is the id of the command under which a request or job is decided by
// rule.
func Command(id string) string { return Name + "." + id }

// sign puts a decision on a request on the ledger.
func (p *policy) sign(ctx context.Context, r exchange.Request, d Decision) error {
	if d.Verdict == Refuse {
		return p.say(ctx, r.ID, exchange.OpRequestRefuse, &exchange.EndRequest{Request: r.ID, Reason: d.Reason}, d.Verdict)
	}
	return p.say(ctx, r.ID, exchange.OpGrantGive, d.Grant, d.Verdict)
}

// say signs an operation under a command that follows from what it decides, so
// that it is there once however often it is said.
func (p *policy) say(ctx context.Context, id string, op exchange.Op, body exchange.Body, v Verdict) error {
	operation, err := exchange.NewOperation(Command(id), op, body)
	if err != nil {
		return workers.Reject(err)
	}
	outcome, err := p.Ledger.Invoke(ctx, operation)
	if err != nil {
		return fmt.Errorf("%s for %s: %w", op, id, err)
	}
	log := zerolog.Ctx(ctx)
	switch outcome.Code {
	case exchange.OK, exchange.Exists:
		log.Info().Str("code", string(outcome.Code)).Str("tx", outcome.Tx).Msg("decided: " + string(v))
	case exchange.Conflict:
		log.Info().Err(outcome.Err()).Msg("decided by another meanwhile")
	case exchange.Again:
		return fmt.Errorf("%s for %s: %w", op, id, outcome.Err())
	default:
		log.Warn().Err(outcome.Err()).Msg("the ledger refuses the rule's decision: left to an officer")
	}
	return nil
}
