package main

import (
	"context"
	"time"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/workers/policy"
)

// requestDocument is a request as a file holds it: the record, or what a
// command request.open says.
type requestDocument struct {
	exchange.Request
	ValidFor int64 `json:"validFor,omitempty"` // seconds, in place of notAfter
}

// gather finds what rules are tried on. It asks the ledger for a request or a
// dataset that is there, and for nothing else.
func (a *app) gather(ctx context.Context, opts PolicyTestOptions, history bool) (f policy.Facts, err error) {
	now := opts.Now.Time
	if now.IsZero() {
		now = time.Now().UTC()
	}
	if exchange.ValidID(exchange.NounRequest, opts.Request) {
		f, err = a.gatherRecorded(ctx, opts, history && opts.History == nil, now)
	} else {
		f, err = a.gatherDocument(ctx, opts, history && opts.History == nil, now)
	}
	if err == nil && opts.History != nil {
		f.History, err = setHistory(opts.History)
	}
	return f, err
}

func (a *app) gatherRecorded(ctx context.Context, opts PolicyTestOptions, history bool, now time.Time) (f policy.Facts, err error) {
	if opts.Dataset != "" || opts.Requester != "" {
		return f, usagef("--dataset and --requester go with a request in a file: the ledger says those of %s", opts.Request)
	}
	err = a.read(ctx, func(ctx context.Context, client *ledger.Client) error {
		var r exchange.Request
		err := client.Get(ctx, exchange.NounRequest, opts.Request, &r)
		if err == nil {
			f, err = policy.Gather(ctx, client, r, history, now)
		}
		return err
	})
	return f, err
}

func (a *app) gatherDocument(ctx context.Context, opts PolicyTestOptions, history bool, now time.Time) (f policy.Facts, err error) {
	r, err := readRequest(opts, now)
	if err != nil {
		return f, err
	}
	if opts.Dataset == "" {
		opts.Dataset = r.Dataset
	}
	if opts.Dataset == "" {
		return f, usagef("%s names no dataset: name a file, OWNER/NAME or an id with --dataset", opts.Request)
	}
	if checkDataset(opts.Dataset) == nil {
		err = a.read(ctx, func(ctx context.Context, client *ledger.Client) error {
			var d exchange.Dataset
			err := client.Get(ctx, exchange.NounDataset, opts.Dataset, &d)
			if err == nil {
				r.Dataset, r.Provider = d.ID, d.Owner
				f, err = policy.Gather(ctx, client, r, history, now)
			}
			return err
		})
		return f, err
	}
	d, err := readDataset(opts.Dataset)
	if err != nil {
		return f, err
	}
	if d.Owner == "" {
		d.Owner = a.department
	}
	r.Dataset, r.Provider = d.ID, d.Owner
	return policy.Facts{
		Request: r, Dataset: d, History: &policy.History{}, Now: now,
		Requester: exchange.Department{Name: r.Requester, MSP: r.RequesterMSP, Status: exchange.Active},
	}, nil
}

// readRequest reads a request's document, checks it as the contract would, and
// fills in what a request that is opened now has.
func readRequest(opts PolicyTestOptions, now time.Time) (exchange.Request, error) {
	var doc requestDocument
	if err := readDocument("--request", opts.Request, &doc); err != nil {
		return doc.Request, err
	}
	r := doc.Request
	if opts.Requester != "" {
		r.Requester = opts.Requester
	}
	if !exchange.ValidName(r.Requester) {
		return r, usagef("name the department that asks with --requester")
	}
	body := exchange.OpenRequest{ // whose dataset is said elsewhere
		Dataset: "any/dataset", Object: r.Object, Purpose: r.Purpose, LegalBasis: r.LegalBasis, Actions: r.Actions, Spec: r.Spec,
		NotBefore: r.NotBefore, NotAfter: r.NotAfter, ValidFor: doc.ValidFor, Uses: r.Uses,
	}
	if err := body.Validate(); err != nil {
		return r, usagef("%s: %w", opts.Request, err)
	}
	if r.Since.IsZero() {
		r.Since = now
	}
	r.NotBefore, r.NotAfter = body.Period(r.Since)
	r.State = exchange.RequestOpen
	if r.Version == "" {
		r.Version = exchange.Latest
	}
	if r.ID == "" {
		r.ID = exchange.NewID(exchange.NounRequest, r.RequesterMSP, opts.Request)
	}
	return r, nil
}

// readDataset reads a dataset's document: what "dataset publish" takes as
// --metadata, or what "dataset show --json" prints.
func readDataset(file string) (exchange.Dataset, error) {
	var shown shownDataset
	if err := readDocument("--dataset", file, &shown); err != nil {
		return shown.Dataset, err
	}
	d := shown.Dataset
	body := exchange.RegisterDataset{Name: d.Name, Description: d.Description, Terms: d.Terms}
	if err := body.Validate(); err != nil {
		return d, usagef("%s: %w", file, err)
	}
	return d, nil
}
