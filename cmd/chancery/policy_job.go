package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/workers/policy"
)

// tryJob says what the rules would decide of a job.
func (a *app) tryJob(ctx context.Context, file string, rules *policy.Rules, opts PolicyTestOptions) error {
	inputs, err := a.gatherJob(ctx, opts, rules.AskHistory() && opts.History == nil)
	if err != nil {
		return err
	}
	if opts.History != nil {
		history, err := setHistory(opts.History)
		if err != nil {
			return err
		}
		for i := range inputs {
			inputs[i].History = history
		}
	}
	decision := rules.DecideJob(ctx, inputs)
	if err := a.result(decision, func(w io.Writer) { writeJobDecision(w, file, decision) }); err != nil {
		return err
	}
	return decided(decision.Verdict, decision.Reason)
}

func writeJobDecision(w io.Writer, file string, d policy.JobDecision) {
	for _, in := range d.Inputs {
		fmt.Fprintf(w, "input %d, %s: %s\n", in.Input, in.Dataset, in.Verdict)
		writeSteps(w, in.Steps)
	}
	var rows fields
	rows.add("decision", "%s", d.Verdict)
	if d.Rule == "" {
		rows.add("rule", "none holds")
	} else {
		rows.add("rule", "%s (%s)", d.Rule, file)
	}
	rows.add("reason", "%s", d.Reason)
	rows.write(w)
}

// gatherJob finds what rules are tried on, for each of the department's inputs.
func (a *app) gatherJob(ctx context.Context, opts PolicyTestOptions, history bool) ([]policy.Facts, error) {
	now := opts.Now.Time
	if now.IsZero() {
		now = time.Now().UTC()
	}
	if !exchange.ValidID(exchange.NounJob, opts.Job) {
		return a.gatherPlan(ctx, opts, history, now)
	}
	if opts.Dataset != "" || opts.Requester != "" {
		return nil, usagef("--dataset and --requester go with a job in a file: the ledger says those of %s", opts.Job)
	}
	profile, err := a.profile()
	if err != nil {
		return nil, err
	}
	var inputs []policy.Facts
	err = a.ask(ctx, profile, exchange.Auditor, func(ctx context.Context, client *ledger.Client) error {
		var j exchange.Job
		err := client.Get(ctx, exchange.NounJob, opts.Job, &j)
		if err == nil {
			inputs, err = policy.GatherJob(ctx, client, j, profile.Department, history, now)
		}
		return err
	})
	if err == nil && len(inputs) == 0 {
		err = usagef("job %s takes no data of %s", opts.Job, profile.Department)
	}
	return inputs, err
}

// gatherPlan is [app.gatherJob] for a plan in a file, as the contract would
// resolve it if it were opened now.
func (a *app) gatherPlan(ctx context.Context, opts PolicyTestOptions, history bool, now time.Time) ([]policy.Facts, error) {
	if a.department == "" {
		return nil, usagef("name the department whose rules these are with --department")
	}
	if !exchange.ValidName(opts.Requester) {
		return nil, usagef("name the department that asks with --requester")
	}
	plan, err := readPlanDocument("--job", opts.Job)
	if err != nil {
		return nil, err
	}
	if plan.Deadline.IsZero() {
		plan.Deadline = after(now, span(day))
	}
	body, err := checkedPlan(opts.Job, plan)
	if err != nil {
		return nil, err
	}
	j := exchange.Job{
		ID: exchange.NewID(exchange.NounJob, "", opts.Job), Requester: opts.Requester, State: exchange.JobOpen, Since: now,
		Spec: exchange.Spec{Plan: body.Plan, Requester: opts.Requester},
	}
	p := planGatherer{app: a, opts: opts, history: history, now: now, job: &j}
	if opts.Dataset != "" {
		if p.document, err = readDataset(opts.Dataset); err != nil {
			return nil, err
		}
	}
	return p.gather(ctx)
}

// planGatherer resolves the names of a plan and gathers its facts. It asks the
// ledger for what is in no document, and for nothing else.
type planGatherer struct {
	app      *app
	opts     PolicyTestOptions
	history  bool
	now      time.Time
	job      *exchange.Job
	document exchange.Dataset // of the department; none: its name is empty
}

func (p *planGatherer) gather(ctx context.Context) ([]policy.Facts, error) {
	spec := &p.job.Spec
	keyholder, _, named := exchange.DatasetName(spec.Keyring)
	if !named {
		k, err := p.app.keyringOf(ctx, spec.Keyring)
		if err != nil {
			return nil, err
		}
		keyholder = k.Keyholder
	}
	spec.Keyholder = keyholder
	for i := range spec.Inputs {
		owner, name, named := exchange.DatasetName(spec.Inputs[i].Dataset)
		if !named {
			d, err := p.dataset(ctx, spec.Inputs[i].Dataset)
			if err != nil {
				return nil, err
			}
			owner, name = d.Owner, d.Name
		}
		spec.Sources = append(spec.Sources, exchange.Source{Provider: owner, Dataset: name})
	}
	if err := spec.CheckParties(); err != nil {
		return nil, usagef("%s: %w", p.opts.Job, err)
	}
	own := spec.InputsOf(p.app.department)
	if len(own) == 0 {
		return nil, usagef("%s takes no data of %s", p.opts.Job, p.app.department)
	}
	var err error
	if p.job.Digest, err = exchange.BodyDigest(spec); err != nil {
		return nil, err
	}
	var all []policy.Facts
	for _, i := range own {
		f, err := p.input(ctx, i)
		if err != nil {
			return nil, err
		}
		f.Job, f.Input = p.job, i
		all = append(all, f)
	}
	return all, nil
}

// input gathers the facts of one input.
func (p *planGatherer) input(ctx context.Context, i int) (f policy.Facts, err error) {
	r := policy.JobRequest(*p.job, i)
	if p.document.Name != "" && p.document.Name == p.job.Spec.Sources[i].Dataset {
		d := p.document
		d.Owner = r.Provider
		return policy.Facts{
			Request: r, Dataset: d, History: &policy.History{}, Now: p.now,
			Requester: exchange.Department{Name: r.Requester, Status: exchange.Active},
		}, nil
	}
	err = p.app.read(ctx, func(ctx context.Context, client *ledger.Client) error {
		f, err = policy.Gather(ctx, client, r, p.history, p.now)
		return err
	})
	return f, err
}

func (p *planGatherer) dataset(ctx context.Context, id string) (d exchange.Dataset, err error) {
	err = p.app.read(ctx, func(ctx context.Context, client *ledger.Client) error {
		return client.Get(ctx, exchange.NounDataset, id, &d)
	})
	return d, err
}
