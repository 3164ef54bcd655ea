package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"chancery/chaincode/exchange"
	"chancery/events"
	"chancery/test/data"
	"chancery/workers/policy"
)

const (
	demoStatistics   = "labour-statistics"
	demoStatisticsBy = "Labour Statistics Act, section 4"
)

// decide has labor ask census three times after census wrote down rules. One
// request no rule decides: it is opened first, so that it has waited while the
// others were decided.
func (d *demo) decide(ctx context.Context) error {
	census, labor := d.desks["census"], d.desks["labor"]
	if err := census.writeRules(); err != nil {
		return err
	}
	waiting, err := d.request(ctx, "labor asks census for another purpose: no rule decides that", labor, exchange.OpenRequest{
		Purpose: demoPurpose, LegalBasis: demoBasis, ValidFor: 20 * 24 * 3600, Uses: 2,
	})
	if err != nil {
		return err
	}
	if err := d.givenByRule(ctx); err != nil {
		return err
	}
	if err := d.refusedByRule(ctx); err != nil {
		return err
	}
	var still exchange.Request
	if err := census.officer.Get(ctx, exchange.NounRequest, waiting.About, &still); err != nil {
		return err
	}
	d.check("a request that no rule decides waits for an officer", still.State == exchange.RequestOpen, "%s meanwhile", still.State)
	given, err := d.give(ctx, "an officer of census decides it: 1 use", labor, exchange.GiveGrant{Request: waiting.About, MaxUses: 1})
	if err != nil {
		return err
	}
	d.check("an officer decides what rules do not", given.change.Name == string(exchange.Officer), "signed by %s", signer(given.change))
	return d.received(ctx, given)
}

// writeRules puts the rules in their place in one step, as a department does
// while its workers run: they count from the next request on.
func (d *desk) writeRules() error {
	rules, err := data.Files.ReadFile("policy.yaml")
	if err != nil {
		return err
	}
	beside := d.profile.Policy + ".new"
	if err := os.WriteFile(beside, rules, 0o600); err != nil {
		return err
	}
	return os.Rename(beside, d.profile.Policy)
}

// givenByRule asks for what a rule gives, and awaits the file.
func (d *demo) givenByRule(ctx context.Context) error {
	labor := d.desks["labor"]
	opened, err := d.request(ctx, "labor asks census for its statistics, 2 uses in 30 days", labor, exchange.OpenRequest{
		Purpose: demoStatistics, LegalBasis: demoStatisticsBy, ValidFor: 30 * 24 * 3600, Uses: 2,
	})
	if err != nil {
		return err
	}
	decided, err := labor.hear(ctx, exchange.GrantWasGiven, exchange.NewID(exchange.NounGrant, d.desks["census"].profile.MSP, policy.Command(opened.About)), nil)
	if err != nil {
		return err
	}
	d.step("a rule of census gives 1 use in 7 days", opened.heard, decided)
	grant, err := events.Record[exchange.Grant](decided.Envelope)
	if err != nil {
		return err
	}
	within := grant.NotAfter.Sub(grant.NotBefore)
	d.check("a rule gives less than was asked for", grant.MaxUses == 1 && within == 7*day && grant.Obligations.NoOnwardSharing && decided.change.Name == policy.Name,
		"%s in %s, %s, signed by %s", count(grant.MaxUses, "use"), spanText(int64(within/time.Second)), obligationsText(grant.Obligations), signer(decided.change))
	return d.received(ctx, decided)
}

// refusedByRule asks for what a rule refuses.
func (d *demo) refusedByRule(ctx context.Context) error {
	labor := d.desks["labor"]
	opened, err := d.request(ctx, "labor asks census for its statistics, 60 days", labor, exchange.OpenRequest{
		Purpose: demoStatistics, LegalBasis: demoStatisticsBy, ValidFor: 60 * 24 * 3600, Uses: 1,
	})
	if err != nil {
		return err
	}
	refused, err := labor.hear(ctx, exchange.RequestWasRefused, opened.About, nil)
	if err != nil {
		return err
	}
	d.step("a rule of census refuses", opened.heard, refused)
	d.check("a refusal by rule says why", refused.change.Name == policy.Name && refused.change.Reason != "",
		"%q, signed by %s", refused.change.Reason, signer(refused.change))
	return nil
}

// received waits until the grantee of a grant has its file and has said so.
func (d *demo) received(ctx context.Context, given fact) error {
	receipt, err := d.desks["census"].hear(ctx, exchange.ReceiptFiled, given.About, nil)
	if err != nil {
		return err
	}
	d.step(fmt.Sprintf("%s redeemed it and has the file; census has the receipt", receipt.change.By), given.heard, receipt)
	return nil
}
