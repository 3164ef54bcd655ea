package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"chancery/chaincode/exchange"
	"chancery/events"
	"chancery/events/bus"
	"chancery/test/data"
)

const (
	demoPurpose = "public-health-planning"
	demoBasis   = "Public Health Act, section 12"
)

// datasetOf is what a department says of its table.
func datasetOf(department string) (dataset exchange.RegisterDataset, err error) {
	for _, set := range data.Datasets {
		if set.Department == department {
			document, err := data.Files.ReadFile(set.Document)
			if err != nil {
				return dataset, err
			}
			return dataset, parseDocument(set.Document, document, &dataset)
		}
	}
	return dataset, fmt.Errorf("%s has no table", department)
}

// publishAll has each department put its table into its spool and publish it.
func (d *demo) publishAll(ctx context.Context) error {
	for _, set := range data.Datasets {
		if err := d.publish(ctx, d.desks[set.Department], set.Table); err != nil {
			return fmt.Errorf("%s: %w", set.Table, err)
		}
	}
	return nil
}

func (d *demo) publish(ctx context.Context, owner *desk, table string) error {
	dataset, err := datasetOf(owner.name)
	if err != nil {
		return err
	}
	content, err := data.Files.ReadFile(table)
	if err != nil {
		return err
	}
	if err := os.WriteFile(owner.source(table), content, 0o600); err != nil {
		return err
	}
	start := time.Now()
	command, err := owner.command(ctx, events.DatasetPublish, &events.PublishDataset{
		Dataset: dataset, File: table, Source: "vega-datasets 3.2.1, see SOURCES.md",
	})
	if err != nil {
		return err
	}
	if err := owner.answer(ctx, command); err != nil {
		return err
	}
	object := exchange.NewID(exchange.NounObject, owner.profile.MSP, command)
	registered, err := owner.hear(ctx, exchange.ObjectRegistered, object, nil)
	if err != nil {
		return err
	}
	start = d.step(fmt.Sprintf("%s publishes %s: sealed, pinned, registered", owner.name, dataset.Name), start, registered)
	for _, other := range d.report.Departments {
		if other == owner.name {
			continue
		}
		attested, err := owner.hear(ctx, exchange.ObjectAttested, object, func(m *bus.Message) bool { return m.Address.From == other })
		if err != nil {
			return err
		}
		verdict, err := events.Record[exchange.Attestation](attested.Envelope)
		if err != nil {
			return err
		}
		d.step(fmt.Sprintf("%s fetched it, keeps a replica, finds it %s", other, verdict.Verdict), start, attested)
	}
	return nil
}

// ask has health ask census for its table, and waits until census hears of it.
func (d *demo) ask(ctx context.Context, what string, uses int, from time.Time) (fact, error) {
	return d.request(ctx, what, d.desks["health"], exchange.OpenRequest{
		Purpose: demoPurpose, LegalBasis: demoBasis, NotBefore: from, ValidFor: 60 * 24 * 3600, Uses: uses,
	})
}

// request has a department ask census for its table, and waits until census
// hears of it.
func (d *demo) request(ctx context.Context, what string, asker *desk, body exchange.OpenRequest) (fact, error) {
	start := time.Now()
	body.Dataset, body.Actions = "census/population", []exchange.Action{exchange.Read}
	command, err := asker.command(ctx, events.RequestOpen, &body)
	if err != nil {
		return fact{}, err
	}
	if err := asker.answer(ctx, command); err != nil {
		return fact{}, err
	}
	opened, err := d.desks["census"].hear(ctx, exchange.RequestOpened, exchange.NewID(exchange.NounRequest, asker.profile.MSP, command), nil)
	if err == nil {
		d.step(what, start, opened)
	}
	return opened, err
}

// give has census's officer answer a request, and waits until its asker hears
// of it.
func (d *demo) give(ctx context.Context, what string, asker *desk, body exchange.GiveGrant) (fact, error) {
	start := time.Now()
	given, err := d.desks["census"].sign(ctx, exchange.OpGrantGive, &body)
	if err != nil {
		return fact{}, err
	}
	heard, err := asker.hear(ctx, exchange.GrantWasGiven, given.ID, nil)
	if err == nil {
		d.step(what, start, heard)
	}
	return heard, err
}

// share is the main act: request, grant, redemption, release, receipt.
func (d *demo) share(ctx context.Context) error {
	opened, err := d.ask(ctx, "health asks census for population, 3 uses in 60 days", 3, time.Time{})
	if err != nil {
		return err
	}
	given, err := d.give(ctx, "an officer of census gives 1 use in 30 days", d.desks["health"], exchange.GiveGrant{
		Request: opened.About, MaxUses: 1, NotAfter: time.Now().Add(30 * 24 * time.Hour).UTC().Truncate(time.Second),
		Obligations: &exchange.Obligations{DeleteWithin: 365 * 24 * 3600, NoOnwardSharing: true},
	})
	if err != nil {
		return err
	}
	d.oneUse = given.About
	request, err := events.Record[exchange.Request](opened.Envelope)
	if err != nil {
		return err
	}
	grant, err := events.Record[exchange.Grant](given.Envelope)
	if err != nil {
		return err
	}
	d.check("the grant is narrower than the request", grant.MaxUses < request.Uses && grant.NotAfter.Before(request.NotAfter),
		"%d use of %d, until %s instead of %s", grant.MaxUses, request.Uses, clock(grant.NotAfter), clock(request.NotAfter))
	since := given.heard
	for _, s := range []struct {
		desk  *desk
		event exchange.EventType
		what  string
	}{
		{d.desks["census"], exchange.GrantRedeemed, "health redeems the use, before any key moves"},
		{d.desks["health"], exchange.KeyReleased, "census wraps the key for health and exposes the wrap"},
		{d.desks["census"], exchange.ReceiptFiled, "health fetched, checked, opened, delivered; census has the receipt"},
	} {
		f, err := s.desk.hear(ctx, s.event, given.About, nil)
		if err != nil {
			return err
		}
		since = d.step(s.what, since, f)
	}
	return d.compare(given.About)
}

// compare looks at the delivered file beside its source.
func (d *demo) compare(grant string) error {
	census, health := d.desks["census"], d.desks["health"]
	table := data.Datasets[0].Table
	source, err := os.ReadFile(census.source(table))
	if err != nil {
		return err
	}
	file := filepath.Join(health.profile.Inbox, grant, "0", table)
	arrived, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(arrived)
	d.report.Delivered = demoDelivery{File: file, Bytes: len(arrived), Digest: hex.EncodeToString(sum[:]), Identical: bytes.Equal(source, arrived)}
	d.check("the delivered file is the source, byte for byte", d.report.Delivered.Identical, "%d bytes of %d", len(arrived), len(source))
	return nil
}

// useTwice redeems a second use of the one-use grant, and the first one again.
func (d *demo) useTwice(ctx context.Context) error {
	refusal, err := d.redeem(ctx, d.oneUse, 1)
	if err != nil {
		return err
	}
	d.check("a second use of a one-use grant is refused", errors.Is(refusal, exchange.ErrExhausted), "%v", refusal)
	again, err := d.redeem(ctx, d.oneUse, 0)
	if err != nil {
		return err
	}
	return d.checkReleases(ctx, d.oneUse, 1, "it released no further key", fmt.Sprintf("; the first use said again: %v", okay(again)))
}

// useRevoked gives a grant that begins later, revokes it and tries to use it.
func (d *demo) useRevoked(ctx context.Context) error {
	later := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	opened, err := d.ask(ctx, "health asks again, from an hour on", 2, later)
	if err != nil {
		return err
	}
	given, err := d.give(ctx, "an officer of census gives 2 uses", d.desks["health"], exchange.GiveGrant{Request: opened.About})
	if err != nil {
		return err
	}
	start := time.Now()
	if _, err := d.desks["census"].sign(ctx, exchange.OpGrantRevoke, &exchange.RevokeGrant{Grant: given.About, Reason: "the study was called off"}); err != nil {
		return err
	}
	revoked, err := d.desks["health"].hear(ctx, exchange.GrantWasRevoked, given.About, nil)
	if err != nil {
		return err
	}
	d.step("an officer of census revokes it", start, revoked)
	refusal, err := d.redeem(ctx, given.About, 0)
	if err != nil {
		return err
	}
	d.check("a use of a revoked grant is refused", errors.Is(refusal, exchange.ErrRevoked), "%v", refusal)
	return d.checkReleases(ctx, given.About, 0, "it released no key", "")
}

// redeem has health command a use; refusal is the ledger's answer.
func (d *demo) redeem(ctx context.Context, grant string, slot int) (refusal, err error) {
	health := d.desks["health"]
	command, err := health.command(ctx, events.GrantRedeem, &exchange.RedeemGrant{Grant: grant, Slot: slot})
	if err != nil {
		return nil, err
	}
	err = health.answer(ctx, command)
	if _, refused := errors.AsType[*exchange.Error](err); refused {
		return err, nil
	}
	return nil, err
}

// checkReleases counts the releases of a grant on the ledger and the wraps that
// the provider ever made for it.
func (d *demo) checkReleases(ctx context.Context, grant string, want int, what, more string) error {
	census := d.desks["census"]
	page, err := census.officer.List(ctx, exchange.Query{Noun: exchange.NounRelease, Parent: grant})
	if err != nil {
		return err
	}
	wraps, err := filepath.Glob(filepath.Join(census.profile.Journal, "wraps", grant+"-*"))
	if err != nil {
		return err
	}
	d.check(what, len(page.Records) == want && len(wraps) == want,
		"%s on the ledger, %s made by census%s", count(len(page.Records), "release"), count(len(wraps), "wrap"), more)
	return nil
}

func okay(refusal error) string {
	if refusal == nil {
		return "answered with its record"
	}
	return refusal.Error()
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}
