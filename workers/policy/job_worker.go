package policy

import (
	"context"
	"fmt"

	"github.com/rs/zerolog"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/events"
	"chancery/workers"
)

func (p *policy) handleJob(ctx context.Context, m *workers.Message) error {
	opened, err := events.Record[exchange.Job](m.Envelope)
	if err != nil {
		return workers.Reject(err)
	}
	if len(opened.Spec.InputsOf(p.Department)) == 0 {
		return nil
	}
	return workers.Patient(m, p.considerJob(ctx, opened.ID), ledger.Away)
}

// considerJob acts on what the ledger says of the job now; the event only woke
// it.
func (p *policy) considerJob(ctx context.Context, id string) error {
	var j exchange.Job
	if err := p.Ledger.Get(ctx, exchange.NounJob, id, &j); err != nil {
		return fmt.Errorf("job %s: %w", id, err)
	}
	log := zerolog.Ctx(ctx).With().Str("id", j.ID).Logger()
	switch own, found := j.Party(p.Department); {
	case !found:
		return nil
	case j.State != exchange.JobOpen || own.ApprovedTx != "":
		log.Info().Str("state", string(j.State)).Msg("decided already")
		return nil
	case j.Expired(p.Now()):
		log.Info().Msg("its deadline is over")
		return nil
	}
	if err := checkJob(j); err != nil {
		log.Error().Err(err).Msg("the job is not what a contract would open: left to an officer")
		return nil
	}
	rules, err := p.Rules.current()
	if err != nil {
		log.Error().Err(err).Msg("the rules cannot be used: left to an officer")
		return nil
	}
	inputs, err := GatherJob(ctx, p.Ledger, j, p.Department, rules.AskHistory(), p.Now().UTC())
	if err != nil {
		return err
	}
	d := rules.DecideJob(ctx, inputs)
	if err := ctx.Err(); err != nil {
		return err // it was interrupted, which is no fault of a rule
	}
	log = log.With().Str("rule", d.Rule).Str("rules", rules.Digest).Str("reason", d.Reason).Logger()
	ctx = log.WithContext(ctx)
	switch {
	case d.Verdict == Refuse:
		return p.say(ctx, j.ID, exchange.OpJobRefuse, &exchange.EndJob{Job: j.ID, Reason: d.Reason}, d.Verdict)
	case d.Verdict == Give:
		return p.say(ctx, j.ID, exchange.OpJobApprove, &exchange.ApproveJob{Job: j.ID, Spec: j.Digest}, d.Verdict)
	case d.Fault:
		log.Error().Msg("a rule failed: left to an officer")
	default:
		log.Info().Msg("left to an officer")
	}
	return nil
}

// checkJob demands that the digest, which an approval is bound to, is of the spec
// that the rules read, and that no department's values show in the result.
func checkJob(j exchange.Job) error {
	digest, err := exchange.BodyDigest(j.Spec)
	if err == nil && digest != j.Digest {
		err = fmt.Errorf("the spec has the digest %s, and the job says %s", digest, j.Digest)
	}
	if err == nil && len(j.Spec.Sources) != len(j.Spec.Inputs) {
		err = fmt.Errorf("%d sources for %d inputs", len(j.Spec.Sources), len(j.Spec.Inputs))
	}
	if err == nil {
		err = j.Spec.CheckParties()
	}
	return err
}
